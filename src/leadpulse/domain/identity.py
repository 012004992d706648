"""Who an event is about: which lead, and what it says about identifiers belonging together.

Pure: `decide` looks at what is known and says what follows; `apply` makes it known. An event
is decided once, in commit order, and later ones of the same batch see its effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from leadpulse.domain.errors import LeadPulseError, UnknownLead

# Kinds of identifiers, by strength; a leadId is stronger than all.
LEAD_ID: Final = 0
USER_ID: Final = 1
EMAIL: Final = 2
ANONYMOUS_ID: Final = 3

# An anonymousId of more people than this is a kiosk or a bug, and links nobody any more.
MOST_PEOPLE: Final = 20

# (kind, value) within a project.
Name = tuple[int, str]


class Named(NamedTuple):
    """What an event names, normalised: at least one identifier.

    `ts` is the instant of the event in µs; `verified` the kind (USER_ID or EMAIL) of the one
    identifier that a good userHash proves, else 0; `event` the server's id of the event, to be
    kept with a link that it makes; `traits` what it says about the person. `test` and `sample`
    are passed on to a lead that is made for it.
    """

    project_id: str
    trusted: bool
    ts: int
    event_id: str
    lead_id: str | None = None
    user_id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    verified: int = 0
    event: str | None = None
    traits: Mapping[str, object] | None = None
    test: bool = False
    sample: bool = False

    def names(self) -> list[Name]:
        """The named identifiers, strongest first, without the leadId."""
        _, _, _, _, _, user_id, email, anonymous_id, *_ = self
        found: list[Name] = []
        if user_id is not None:
            found.append((USER_ID, user_id))
        if email is not None:
            found.append((EMAIL, email))
        if anonymous_id is not None:
            found.append((ANONYMOUS_ID, anonymous_id))
        return found


class Resolved(NamedTuple):
    """Which lead an event belongs to (as stored with it; the survivor may be another).

    `created`: the lead was made for this event and got its first profile from it. `linked`: an
    identifier was attached, confirmed or moved, or leads were merged, so that the shown profile
    must be looked at. With an `error` nothing happened and there is no lead. `root` is the
    survivor after all that was decided together, `merged`: leads became one by this event.
    """

    lead_id: str
    created: bool = False
    linked: bool = False
    error: LeadPulseError | None = None
    root: str = ""
    merged: bool = False


# ── What is known ────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Known:
    """A stored identifier: the lead that it was given, and whether that is confirmed.

    `people`: for an anonymousId that moved, the leads between which it did; `links` counts
    them, and is one more than MOST_PEOPLE once that is reached.
    """

    lead: str
    confirmed: bool = False
    links: int = 0
    people: tuple[str, ...] = ()


@dataclass(slots=True)
class Tree:
    """What a lead and all that merged into it hold: any userId or email, any confirmed one.

    An identifier belongs to one tree, so two trees never share one: to hold any is to differ.
    """

    root: str
    user: bool = False
    email: bool = False
    confirmed_user: bool = False
    confirmed_email: bool = False
    confirmed: bool = False

    def note(self, kind: int, *, confirmed: bool) -> None:
        """Takes up one more identifier."""
        self.confirmed |= confirmed
        if kind == USER_ID:
            self.user = True
            self.confirmed_user |= confirmed
        elif kind == EMAIL:
            self.email = True
            self.confirmed_email |= confirmed

    def absorb(self, other: Tree) -> None:
        """Takes up everything that another tree holds."""
        self.user |= other.user
        self.email |= other.email
        self.confirmed_user |= other.confirmed_user
        self.confirmed_email |= other.confirmed_email
        self.confirmed |= other.confirmed

    def held(self, *, firm: bool) -> tuple[bool, bool]:
        """Whether a userId and an email count against a link; `firm`: only confirmed ones do."""
        if firm:
            return self.confirmed_user, self.confirmed_email
        return self.user, self.email


@dataclass(slots=True)
class Graph:
    """What is known of one project, as far as a batch names it.

    `roots`: every lead that was looked up, with its survivor; `trees` by survivor; `never`:
    pairs of leads whose merge a person undid.
    """

    identifiers: dict[Name, Known] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    never: list[tuple[str, str]] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)

    def root(self, lead: str) -> str:
        """The survivor of a lead, merges of this batch included."""
        root = self.roots.get(lead, lead)
        while root in self.joined:
            root = self.joined[root]
        return root

    def tree(self, lead: str) -> Tree:
        """The tree that a lead stands in."""
        root = self.root(lead)
        found = self.trees.get(root)
        if found is None:
            found = self.trees[root] = Tree(root)
        return found

    def undone(self, one: str, other: str) -> bool:
        """True if a person undid a merge between these two survivors."""
        return any({self.root(a), self.root(b)} == {one, other} for a, b in self.never)


# ── What follows ─────────────────────────────────────────────────────────────────────


class Merge(NamedTuple):
    """The survivor `child` is merged into the survivor `parent`."""

    child: str
    parent: str


@dataclass(slots=True)
class Decision:
    """What an event does: its lead, and what changes.

    `attached` names are new and go to the lead; `confirmed` ones are there already and are
    vouched for now; `moved` is an anonymousId that changes to the lead, with the people it
    belonged to so far; `worn_out` one that reached MOST_PEOPLE. `conflict`: the event names
    people who are not the same.
    """

    lead: str = ""
    created: bool = False
    attached: list[Name] = field(default_factory=list)
    confirmed: list[Name] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    moved: Name | None = None
    people: tuple[str, ...] = ()
    worn_out: Name | None = None
    conflict: bool = False
    error: LeadPulseError | None = None

    @property
    def changes_links(self) -> bool:
        """True if something else than the making of a lead follows."""
        return bool(
            self.merges or self.confirmed or self.moved or (self.attached and not self.created)
        )


def vouched(named: Named, kind: int) -> bool:
    """Whether what the event says of an identifier of this kind is confirmed."""
    return named.trusted or named.verified == kind


@dataclass(slots=True)
class _Target:
    """The lead that an event is about, while its names are looked at one by one.

    `lead` is empty as long as only unknown identifiers were met; `tree` is a copy that also
    holds what the event adds; `roots` are the trees that become one. `firm`: it was named by
    its own id or by a confirmed userId or email; `person`: the event's userId belongs to it.
    """

    lead: str
    tree: Tree
    roots: set[str]
    firm: bool
    person: bool


def decide(graph: Graph, named: Named, fresh: str) -> Decision:
    """Which lead an event belongs to and what it links; `fresh` is the id of a lead to make.

    The strongest name is the target; a weaker one whose tree doesn't conflict merges into it,
    an unknown one counts as a lead that holds only it. After a conflict nothing merges any
    more and only the anonymousId moves. A claim never joins two leads that both hold something
    confirmed, and never moves a confirmed anonymousId.
    """
    decision = Decision()
    target: _Target | None = None
    if named.lead_id is not None:
        if named.lead_id not in graph.roots:
            return Decision(error=UnknownLead(f"{named.lead_id} is no lead of this project."))
        tree = graph.tree(named.lead_id)
        target = _Target(named.lead_id, replace(tree), {tree.root}, named.trusted, person=False)
    names = named.names()
    if len(names) == 1 and target is None and names[0] not in graph.identifiers:
        # A new visitor: worth a way of its own.
        return Decision(fresh, created=True, attached=names)
    for name in names:
        known = graph.identifiers.get(name)
        if target is None:
            target = _first(graph, named, name, known)
            if known is None:
                decision.attached.append(name)
        elif known is None:
            _meet_unknown(named, target, name, decision)
        else:
            _meet_known(graph, target, _Met(named, name, known, graph.tree(known.lead)), decision)
    if target is None:
        raise ValueError("an event names nobody")
    decision.created = not target.lead
    decision.lead = target.lead or fresh
    decision.people = tuple(lead or fresh for lead in decision.people)
    decision.confirmed = [
        name
        for name in names
        if (known := graph.identifiers.get(name)) is not None
        and _confirms(graph, named, (name, known), target, decision)
    ]
    return decision


def _first(graph: Graph, named: Named, name: Name, known: Known | None) -> _Target:
    kind = name[0]
    firm = named.trusted and kind != ANONYMOUS_ID
    person = kind == USER_ID
    if known is not None:
        tree = graph.tree(known.lead)
        return _Target(known.lead, replace(tree), {tree.root}, firm and known.confirmed, person)
    tree = Tree("")
    tree.note(kind, confirmed=vouched(named, kind))
    return _Target("", tree, set(), firm, person)


def _meet_unknown(named: Named, target: _Target, name: Name, decision: Decision) -> None:
    kind = name[0]
    if kind != ANONYMOUS_ID:
        user, email = target.tree.held(firm=target.firm)
        decision.conflict |= user if kind == USER_ID else email and not target.person
        if decision.conflict:
            return
    sure = vouched(named, kind)
    if sure and not named.trusted and target.tree.confirmed:
        return
    decision.attached.append(name)
    target.tree.note(kind, confirmed=sure)
    target.person |= kind == USER_ID


class _Met(NamedTuple):
    """A known identifier that an event names beside its target."""

    named: Named
    name: Name
    known: Known
    tree: Tree


def _meet_known(graph: Graph, target: _Target, met: _Met, decision: Decision) -> None:
    kind = met.name[0]
    if met.tree.root in target.roots:
        target.person |= kind == USER_ID
        return
    if kind == ANONYMOUS_ID and met.known.links > MOST_PEOPLE:
        return
    decision.conflict |= _clash(graph, target, met)
    if decision.conflict:
        if kind == ANONYMOUS_ID:
            _move(graph, target, met, decision)
        return
    if target.tree.confirmed and met.tree.confirmed and not met.named.trusted:
        return
    if target.lead:
        decision.merges.append(Merge(met.tree.root, target.tree.root))
    else:
        target.lead, target.tree.root = met.known.lead, met.tree.root
    target.tree.absorb(met.tree)
    target.roots.add(met.tree.root)
    target.person |= kind == USER_ID


def _clash(graph: Graph, target: _Target, met: _Met) -> bool:
    """True if the two are different people, or a person said that they are.

    What claims put on a lead doesn't stand against a trusted caller who names it by something
    confirmed. An email named together with its person's userId is one more of that person.
    """
    kind = met.name[0]
    ours = theirs = False
    if met.named.trusted and kind != ANONYMOUS_ID:
        ours, theirs = target.firm, met.known.confirmed
    user, email = target.tree.held(firm=ours)
    other_user, other_email = met.tree.held(firm=theirs)
    if user and other_user:
        return True
    if email and other_email and not (kind == EMAIL and target.person):
        return True
    return bool(target.lead) and graph.undone(target.tree.root, met.tree.root)


def _move(graph: Graph, target: _Target, met: _Met, decision: Decision) -> None:
    """A shared browser: from now on the anonymousId is the target's."""
    if met.known.confirmed and not met.named.trusted:
        return
    people = tuple(dict.fromkeys(graph.root(lead) for lead in met.known.people))
    people = people or (met.tree.root,)
    known_there = bool(target.lead) and target.tree.root in people
    if len(people) >= MOST_PEOPLE and not known_there:
        decision.worn_out = met.name
        return
    decision.moved = met.name
    decision.people = people if known_there else (*people, target.tree.root)


def _confirms(
    graph: Graph, named: Named, met: tuple[Name, Known], target: _Target, decision: Decision
) -> bool:
    name, known = met
    if known.confirmed or not vouched(named, name[0]):
        return False
    if name == decision.moved:
        return True
    if graph.root(known.lead) not in target.roots:
        return False
    # A userHash proves who somebody is, not that a lead which others confirmed is theirs.
    return named.trusted or not target.tree.confirmed


def apply(graph: Graph, named: Named, decision: Decision) -> None:
    """Makes known what was decided, for the next event."""
    if decision.error is not None:
        return
    lead = decision.lead
    if decision.created:
        graph.roots[lead] = lead
        graph.trees[lead] = Tree(lead)
    for merge in decision.merges:
        graph.trees[merge.parent].absorb(graph.trees.pop(merge.child))
        graph.joined[merge.child] = merge.parent
    tree = graph.tree(lead)
    for name in decision.attached:
        sure = vouched(named, name[0])
        graph.identifiers[name] = Known(lead, sure)
        tree.note(name[0], confirmed=sure)
    if decision.moved is not None:
        known = graph.identifiers[decision.moved]
        known.lead, known.people = lead, decision.people
        known.links = len(decision.people)
    for name in decision.confirmed:
        graph.identifiers[name].confirmed = True
        tree.note(name[0], confirmed=True)
    if decision.worn_out is not None:
        graph.identifiers[decision.worn_out].links = MOST_PEOPLE + 1
