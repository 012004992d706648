import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Follower, heard, useHold, useLiveQueries } from './live';

const hint = { leadId: 'l1', eventType: 'page_viewed', delta: 1, newScore: 2 };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function counted() {
  const queries = new QueryClient();
  const spy = vi.spyOn(queries, 'invalidateQueries').mockResolvedValue();
  return { queries, spy };
}

it('many hints ask a query again twice a second at most', () => {
  const { queries, spy } = counted();
  const follower = new Follower(queries);
  for (let step = 0; step < 40; step += 1) {
    follower.mark([['leads'], ['leads']]);
    vi.advanceTimersByTime(50);
  }
  vi.advanceTimersByTime(1000);
  expect(spy.mock.calls.length).toBeGreaterThanOrEqual(3);
  expect(spy.mock.calls.length).toBeLessThanOrEqual(6);
});

it('a query that is being asked is asked again after its answer, not instead of it', () => {
  const { queries, spy } = counted();
  const busy = vi.spyOn(queries, 'isFetching').mockReturnValue(1);
  const follower = new Follower(queries);
  follower.mark([['leads']]);
  vi.advanceTimersByTime(2000);
  expect(spy).not.toHaveBeenCalled();
  busy.mockReturnValue(0);
  vi.advanceTimersByTime(1000);
  expect(spy).toHaveBeenCalledTimes(1);
});

function List() {
  const hold = useHold();
  useLiveQueries(['scoreMutation'], [['leads']], { hold });
  return (
    <div data-testid="list" {...hold.props}>
      {hold.waiting ? 'waiting' : 'current'}
    </div>
  );
}

it('a list under the pointer stays as it is until the pointer leaves', () => {
  const { queries, spy } = counted();
  render(
    <QueryClientProvider client={queries}>
      <List />
    </QueryClientProvider>,
  );
  fireEvent.pointerEnter(screen.getByTestId('list'));
  act(() => {
    heard('scoreMutation', hint);
  });
  act(() => {
    vi.advanceTimersByTime(2000);
  });
  expect(spy).not.toHaveBeenCalled();
  expect(screen.getByText('waiting')).toBeInTheDocument();
  fireEvent.pointerLeave(screen.getByTestId('list'));
  act(() => {
    vi.advanceTimersByTime(2000);
  });
  expect(spy).toHaveBeenCalledTimes(1);
  expect(screen.getByText('current')).toBeInTheDocument();
});

it('a flood counts as every kind, another kind as nothing', () => {
  const { queries, spy } = counted();
  render(
    <QueryClientProvider client={queries}>
      <List />
    </QueryClientProvider>,
  );
  act(() => {
    heard('automationExecuted', {});
  });
  act(() => {
    vi.advanceTimersByTime(2000);
  });
  expect(spy).not.toHaveBeenCalled();
  act(() => {
    heard('flood', { events: 900, leads: 40 });
  });
  act(() => {
    vi.advanceTimersByTime(2000);
  });
  expect(spy).toHaveBeenCalledTimes(1);
});
