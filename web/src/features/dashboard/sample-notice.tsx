import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { FlaskConical } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { useMay, useProject } from '@/api/session';
import { removeSampleData, sampleDataQuery } from '@/api/settings';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Notice } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';
import { count } from '@/lib/format';

/** Says that part of what is shown is made up, and takes that part out again. */
export function SampleNotice() {
  const { id } = useProject();
  const may = useMay();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const { data } = useQuery(sampleDataQuery(id));
  const remove = useMutation({
    mutationFn: () => removeSampleData(id),
    onSuccess: () => {
      setAsking(false);
      toast('The sample data is gone');
      return queries.invalidateQueries();
    },
  });
  if (data?.present !== true) return null;
  const leads = count(data.leads, 'made-up lead');
  return (
    <>
      <Notice
        tone="accent"
        icon={FlaskConical}
        action={
          may('project.write') && (
            <button
              type="button"
              className="font-medium underline underline-offset-2"
              onClick={() => setAsking(true)}
            >
              Remove
            </button>
          )
        }
      >
        {leads} from the sample data stand among your own.
      </Notice>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Remove the sample data?"
        action="Remove"
        busy={remove.isPending}
        error={remove.error && messageOf(remove.error)}
        onConfirm={() => remove.mutate()}
      >
        {leads} with all that they did disappear from lists and figures. Your own leads stay.
      </ConfirmDialog>
    </>
  );
}
