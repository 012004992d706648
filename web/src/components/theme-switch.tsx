import { Monitor, Moon, Sun } from 'lucide-react';

import { IconButton } from '@/components/ui/button';
import { DropdownMenu, MenuRadio } from '@/components/ui/menu';
import { chooseTheme, type Theme, useTheme } from '@/lib/theme';

const THEMES: { value: Theme; label: string }[] = [
  { value: 'system', label: 'Like the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function ThemeSwitch() {
  const theme = useTheme();
  const icon = { system: Monitor, light: Sun, dark: Moon }[theme];
  return (
    <DropdownMenu trigger={<IconButton icon={icon} label="Theme" />} className="min-w-40">
      <MenuRadio value={theme} onChange={chooseTheme} choices={THEMES} />
    </DropdownMenu>
  );
}
