import './styles/app.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from '@/app/app';
import { watchTheme } from '@/lib/theme';

watchTheme();

const root = document.getElementById('root');
if (root === null) throw new Error('There is no place for the dashboard in this page.');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
