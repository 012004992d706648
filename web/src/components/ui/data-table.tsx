import {
  columnVisibilityFeature,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp, ChevronsUpDown, Columns3 } from 'lucide-react';
import {
  type CSSProperties,
  type Key,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  memo,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';

import { cn } from '@/lib/cn';
import { useNarrow } from '@/lib/hooks';

import { IconButton } from './button';
import { DropdownMenu, MenuCheck, MenuLabel } from './menu';
import { Loading, Skeleton } from './states';

export type Column<T> = {
  /** Also what the address says to sort by. */
  id: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** Least width in pixels, and its share of what is left (0: none). */
  min: number;
  grow?: number;
  align?: 'left' | 'right';
  /** Which way it is sorted by first; can't be without. */
  sort?: 'asc' | 'desc';
  /** Can't be hidden. */
  fixed?: boolean;
  /** Where it stands on a phone: a title, at its right, below with its name, or nowhere. */
  phone?: 'title' | 'aside' | 'meta' | 'none';
};

export type Sort = { by: string; order: 'asc' | 'desc' };

type Props<T> = {
  label: string;
  rows: readonly T[];
  rowKey: (row: T) => string;
  columns: readonly Column<T>[];
  /** How the rows are sorted; who gives them sorts them. */
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  hidden?: readonly string[];
  /** By click, Enter and space. */
  onOpen?: (row: T) => void;
  /** The row whose drawer is open. */
  current?: string | null;
  /** Shows this many rows that are still to come, instead of rows. */
  loading?: number | false;
  /** Stands in place of rows when there are none. */
  empty?: ReactNode;
  /** The end of the rows is near. */
  onEnd?: () => void;
  /** Stands below the last row. */
  footer?: ReactNode;
  className?: string;
};

const features = tableFeatures({ columnVisibilityFeature, rowSortingFeature });
const ROW = 44;
const PHONE_ROW = 76;
/** Lists up to this length are drawn whole. */
const WHOLE = 40;
/** Rows come and go by so many, so that most steps of scrolling draw nothing anew. */
const BLOCK = 4;

/** Rows with columns; on a phone, rows of two lines. Scrolls within its own box. */
export function DataTable<T extends object>(props: Props<T>) {
  const { rows, columns, hidden, sort, loading, empty, className } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();

  const definitions = useMemo(
    () => columns.map(({ id, header }) => ({ id, header, accessorFn: (row: T) => row })),
    [columns],
  );
  const visibility = useMemo(
    () => Object.fromEntries((hidden ?? []).map((id) => [id, false])),
    [hidden],
  );
  const sorting = useMemo(
    () => (sort === undefined ? [] : [{ id: sort.by, desc: sort.order === 'desc' }]),
    [sort],
  );
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: props.rowKey,
    state: { columnVisibility: visibility, sorting },
    manualSorting: true,
  });
  const shown = table
    .getVisibleLeafColumns()
    .map(({ id }) => columns.find((column) => column.id === id))
    .filter((column) => column !== undefined);

  return (
    // Opaque and contained: scrolling then moves what is painted already.
    <div
      ref={scroller}
      className={cn('relative min-h-0 overflow-auto bg-surface [contain:content]', className)}
    >
      {rows.length === 0 && loading === false && empty != null ? (
        empty
      ) : narrow ? (
        <PhoneRows {...props} columns={shown} scroller={scroller} />
      ) : (
        <Grid {...props} columns={shown} scroller={scroller} />
      )}
      {rows.length > 0 && props.footer}
    </div>
  );
}

type Inner<T> = Props<T> & { scroller: RefObject<HTMLDivElement | null> };

/** Which blocks of rows to draw, and how much room the others take above and below them. */
function useBlocks<T>({ rows, rowKey, scroller, onEnd }: Inner<T>, height: number) {
  const whole = rows.length <= WHOLE;
  const count = Math.ceil(rows.length / BLOCK);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (block) => Math.min(BLOCK, rows.length - block * BLOCK) * height,
    getItemKey: (block) => {
      const first = rows[block * BLOCK];
      return first === undefined ? block : rowKey(first);
    },
    overscan: 1,
    enabled: !whole,
  });
  const items = virtual.getVirtualItems();
  const blocks = whole
    ? Array.from({ length: count }, (_, block) => block)
    : items.map((item) => item.index);
  const lastShown = ((blocks.at(-1) ?? -1) + 1) * BLOCK - 1;
  const end = useRef(onEnd);
  useEffect(() => {
    end.current = onEnd;
  });
  useEffect(() => {
    if (!whole && lastShown >= rows.length - 10) end.current?.();
  }, [whole, lastShown, rows.length]);
  return {
    blocks,
    above: whole ? 0 : (items[0]?.start ?? 0),
    below: whole ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0),
    measure: whole ? undefined : virtual.measureElement,
    show: (index: number) => {
      if (!whole) virtual.scrollToIndex(Math.floor(index / BLOCK));
    },
  };
}

/** The rows of a block, each with its place in the list. */
function rowsOf<T>(rows: readonly T[], block: number): (readonly [T, number])[] {
  const first = block * BLOCK;
  return rows.slice(first, first + BLOCK).map((row, place) => [row, first + place]);
}

/** One row takes the focus; arrows move it. */
function useArrows<T>({ rows, onOpen, scroller }: Inner<T>, show: (index: number) => void) {
  const [active, setActive] = useState(0);
  const wanted = useRef(false);
  const at = Math.min(active, Math.max(0, rows.length - 1));
  useEffect(() => {
    if (!wanted.current) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-row="${at}"]`);
    if (!row) return;
    wanted.current = false;
    row.focus();
  });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const own = event.target instanceof HTMLElement && event.target.dataset.row !== undefined;
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 10,
      PageUp: at - 10,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (next !== undefined && own) {
      event.preventDefault();
      const to = Math.max(0, Math.min(rows.length - 1, next));
      wanted.current = true;
      show(to);
      setActive(to);
    } else if ((event.key === 'Enter' || event.key === ' ') && own) {
      const row = rows[at];
      if (row === undefined || onOpen === undefined) return;
      event.preventDefault();
      onOpen(row);
    }
  };
  return { at, setActive, onKeyDown };
}

/** Links and buttons within a row do their own. */
function isOwnClick(target: EventTarget): boolean {
  return !(target instanceof Element && target.closest('a, button, input, select, label'));
}

function Grid<T>(props: Inner<T>) {
  const { label, rows, rowKey, columns, sort, onSort, onOpen, current, loading } = props;
  const { blocks, above, below, show } = useBlocks(props, ROW);
  const { at, setActive, onKeyDown } = useArrows(props, show);
  const line = useMemo<CSSProperties>(
    () => ({
      gridTemplateColumns: columns
        .map(({ min, grow }) => (grow === 0 ? `${min}px` : `minmax(${min}px, ${grow ?? 1}fr)`))
        .join(' '),
      minWidth:
        columns.reduce((sum, column) => sum + column.min, 0) + 32 + (columns.length - 1) * 12,
    }),
    [columns],
  );

  return (
    <div
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-busy={loading ? true : undefined}
      className="text-sm"
    >
      <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface">
        <div
          role="row"
          aria-rowindex={1}
          className="grid h-9 items-center gap-3 px-4 md:px-6"
          style={line}
        >
          {columns.map((column) => (
            <Header key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      {loading ? (
        <Loading label={`${label}: loading`}>
          {Array.from({ length: loading }, (_, index) => (
            <div
              key={index}
              className="grid h-11 items-center gap-3 border-b border-line px-4 md:px-6"
              style={line}
            >
              {columns.map((column, place) => (
                <span
                  key={column.id}
                  className={cn('flex', column.align === 'right' && 'justify-end')}
                >
                  <Skeleton className={cn('h-3.5', place === 0 ? 'w-3/4' : 'w-1/2')} />
                </span>
              ))}
            </div>
          ))}
        </Loading>
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its rows take the focus
        <div
          role="rowgroup"
          onKeyDown={onKeyDown}
          style={{ paddingTop: above, paddingBottom: below }}
        >
          {blocks.map((block) => (
            <GridBlock
              key={block}
              rows={rows}
              block={block}
              rowKey={rowKey}
              active={at}
              current={current}
              columns={columns}
              line={line}
              onOpen={onOpen}
              onActive={setActive}
            />
          ))}
        </div>
      )}
    </div>
  );
}

type GridBlockProps<T> = Pick<Inner<T>, 'rows' | 'rowKey' | 'current' | 'columns' | 'onOpen'> & {
  block: number;
  active: number;
  line: CSSProperties;
  onActive: (index: number) => void;
};

const GridBlock = memo(function GridBlock<T>(props: GridBlockProps<T>) {
  const { rows, block, rowKey, active, current, columns, line, onOpen, onActive } = props;
  return (
    <div role="presentation">
      {rowsOf(rows, block).map(([row, index]) => {
        const key = rowKey(row);
        return (
          <GridRow
            key={key}
            row={row}
            index={index}
            active={index === active}
            selected={current === undefined ? undefined : current === key}
            columns={columns}
            line={line}
            onOpen={onOpen}
            onActive={onActive}
          />
        );
      })}
    </div>
  );
}) as <T>(props: GridBlockProps<T> & { key?: Key }) => ReactNode;

type GridRowProps<T> = Pick<Inner<T>, 'columns' | 'onOpen'> & {
  row: T;
  index: number;
  active: boolean;
  selected: boolean | undefined;
  line: CSSProperties;
  onActive: (index: number) => void;
};

/** Drawn again only when something of its own has changed: scrolling draws what comes into view. */
const GridRow = memo(function GridRow<T>({
  row,
  index,
  active,
  selected,
  columns,
  line,
  onOpen,
  onActive,
}: GridRowProps<T>) {
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the group hears keys
    <div
      role="row"
      data-row={index}
      aria-rowindex={index + 2}
      aria-selected={selected}
      tabIndex={active ? 0 : -1}
      onFocus={() => onActive(index)}
      onClick={(event) => {
        if (isOwnClick(event.target)) onOpen?.(row);
      }}
      className={cn(
        'grid h-11 scroll-mt-9 items-center gap-3 border-b border-line px-4 focus-visible:-outline-offset-2 md:px-6',
        onOpen && 'cursor-pointer hover:bg-hover',
        selected === true && 'bg-accent-soft hover:bg-accent-soft',
      )}
      style={line}
    >
      {columns.map((column) => (
        <div
          key={column.id}
          role="gridcell"
          className={cn('min-w-0 truncate', column.align === 'right' && 'text-right tabular')}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}) as <T>(props: GridRowProps<T> & { key?: Key }) => ReactNode;

function Header<T>({
  column,
  sort,
  onSort,
}: {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}) {
  const sorted = sort?.by === column.id ? sort.order : null;
  const first = column.sort;
  const right = column.align === 'right';
  if (first === undefined || onSort === undefined) {
    return (
      <div
        role="columnheader"
        className={cn('truncate text-xs font-medium text-muted', right && 'text-right')}
      >
        {column.header}
      </div>
    );
  }
  const Icon = sorted === null ? ChevronsUpDown : sorted === 'asc' ? ArrowUp : ArrowDown;
  const other = { asc: 'desc', desc: 'asc' } as const;
  return (
    <div
      role="columnheader"
      aria-sort={sorted === null ? 'none' : sorted === 'asc' ? 'ascending' : 'descending'}
      className={cn('flex min-w-0', right && 'justify-end')}
    >
      <button
        type="button"
        className={cn(
          'group -mx-1 flex h-6 min-w-0 items-center gap-1 rounded-sm px-1 text-xs font-medium hover:text-ink',
          sorted === null ? 'text-muted' : 'text-ink',
          right && 'flex-row-reverse',
        )}
        onClick={() => onSort({ by: column.id, order: sorted === null ? first : other[sorted] })}
      >
        <span className="truncate">{column.header}</span>
        <Icon
          aria-hidden
          className={cn(
            'size-3 shrink-0',
            sorted === null && 'opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100',
          )}
        />
      </button>
    </div>
  );
}

function PhoneRows<T>(props: Inner<T>) {
  const { label, rows, rowKey, columns, onOpen, current, loading } = props;
  const { blocks, above, below, measure, show } = useBlocks(props, PHONE_ROW);
  const { at, setActive, onKeyDown } = useArrows(props, show);
  const placed = (place: NonNullable<Column<T>['phone']>) =>
    columns.filter((column) => (column.phone ?? 'meta') === place);
  const [titles, asides, metas] = [placed('title'), placed('aside'), placed('meta')];

  if (loading) {
    return (
      <Loading label={`${label}: loading`}>
        {Array.from({ length: loading }, (_, index) => (
          <div key={index} className="flex flex-col gap-2 border-b border-line px-4 py-3">
            <Skeleton className="h-4 w-1/2" />
            <Skeleton className="h-3 w-4/5" />
          </div>
        ))}
      </Loading>
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its rows take the focus
    <div
      role="list"
      aria-label={label}
      onKeyDown={onKeyDown}
      style={{ paddingTop: above, paddingBottom: below }}
      className="text-sm"
    >
      {blocks.map((block) => (
        <div key={block} role="presentation" ref={measure} data-index={block}>
          {rowsOf(rows, block).map(([row, index]) => (
            <div key={rowKey(row)} role="listitem">
              {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the list hears keys */}
              <div
                data-row={index}
                role={onOpen && 'button'}
                tabIndex={index === at ? 0 : -1}
                onFocus={() => setActive(index)}
                onClick={(event) => {
                  if (isOwnClick(event.target)) onOpen?.(row);
                }}
                className={cn(
                  'flex flex-col gap-1.5 border-b border-line px-4 py-2.5 focus-visible:-outline-offset-2',
                  current === rowKey(row) && 'bg-accent-soft',
                )}
              >
                <div className="flex min-w-0 items-center justify-between gap-3">
                  <div className="min-w-0 flex-1">
                    {titles.map((column) => (
                      <div key={column.id}>{column.cell(row)}</div>
                    ))}
                  </div>
                  <div className="flex shrink-0 items-center gap-2">
                    {asides.map((column) => (
                      <div key={column.id}>{column.cell(row)}</div>
                    ))}
                  </div>
                </div>
                {metas.length > 0 && (
                  <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs">
                    {metas.map((column) => (
                      <span key={column.id} className="inline-flex min-w-0 items-center gap-1">
                        <span className="text-muted">{column.header}</span>
                        {column.cell(row)}
                      </span>
                    ))}
                  </div>
                )}
              </div>
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

/** Which columns are shown. */
export function ColumnChoice<T>({
  columns,
  hidden,
  onChange,
}: {
  columns: readonly Column<T>[];
  hidden: readonly string[];
  onChange: (hidden: string[]) => void;
}) {
  return (
    <DropdownMenu trigger={<IconButton kind="secondary" icon={Columns3} label="Columns" />}>
      <MenuLabel>Columns</MenuLabel>
      {columns
        .filter((column) => column.fixed !== true)
        .map(({ id, header }) => (
          <MenuCheck
            key={id}
            checked={!hidden.includes(id)}
            onChange={(shown) =>
              onChange(shown ? hidden.filter((other) => other !== id) : [...hidden, id])
            }
          >
            {header}
          </MenuCheck>
        ))}
    </DropdownMenu>
  );
}
