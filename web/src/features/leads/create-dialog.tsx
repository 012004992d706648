import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { createLead, type NewLead } from '@/api/lead';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Field, Input } from '@/components/ui/form';
import { Notice } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';

import { conflictWords } from './work';

const FIELDS = [
  { name: 'name', label: 'Name', type: 'text', placeholder: 'Ada Lovelace' },
  { name: 'email', label: 'Email', type: 'email', placeholder: 'ada@example.com' },
  { name: 'company', label: 'Company', type: 'text', placeholder: 'Analytical Engines' },
] as const;
type Name = (typeof FIELDS)[number]['name'] | 'userId';

type Props = { onClose: () => void; onMade: (id: string) => void };

/** A lead by hand; who is known by the email or user id already is completed. */
export function CreateDialog({ onClose, onMade }: Props) {
  const queries = useQueryClient();
  const [values, setValues] = useState<Record<Name, string>>({
    name: '',
    email: '',
    company: '',
    userId: '',
  });
  const [empty, setEmpty] = useState(false);
  const create = useMutation({
    mutationFn: (lead: NewLead) => createLead(lead),
    onSuccess: async ({ lead, made }) => {
      toast(made ? 'The lead is made' : 'This lead was there already; it has what you entered');
      onMade(lead.id);
      await queries.invalidateQueries({ queryKey: keys.leads.all });
    },
  });
  const submit = () => {
    const given = Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        value.trim() === '' ? [] : [[name, value.trim()]],
      ),
    ) as NewLead;
    setEmpty(Object.keys(given).length === 0);
    if (Object.keys(given).length > 0) create.mutate(given);
  };
  const wrong = (name: Name) => (isApiError(create.error) ? create.error.field(name) : undefined);
  const others = create.isError && !(Object.keys(values) as Name[]).some((name) => wrong(name));
  const set = (name: Name) => (event: { target: { value: string } }) =>
    setValues({ ...values, [name]: event.target.value });
  return (
    <Dialog
      open
      onClose={onClose}
      title="New lead"
      description="For somebody whom no event has brought yet."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="new-lead" busy={create.isPending}>
            Make lead
          </Button>
        </>
      }
    >
      <form
        id="new-lead"
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {FIELDS.map(({ name, label, type, placeholder }) => (
          <Field key={name} label={label} error={wrong(name)}>
            <Input
              type={type}
              value={values[name]}
              placeholder={placeholder}
              autoComplete="off"
              onChange={set(name)}
            />
          </Field>
        ))}
        <Field
          label="User id"
          hint="Who it is in your own system, if you know."
          error={wrong('userId')}
        >
          <Input value={values.userId} autoComplete="off" onChange={set('userId')} />
        </Field>
        {empty && <Notice tone="danger">Fill in one field at least.</Notice>}
        {others && (
          <Notice tone="danger">{conflictWords(create.error) ?? messageOf(create.error)}</Notice>
        )}
      </form>
    </Dialog>
  );
}
