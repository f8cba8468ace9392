// Package targets reads lists of members, 1 to two million, from CSV, JSON or YAML: line by line where the format allows
// it, and with errors that name the line, the value and what would work.
package targets

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Target is one entry of a target list.
type Target struct {
	Member string            `json:"member"`
	Group  string            `json:"group,omitempty"`  // "": the step's
	Traits map[string]string `json:"traits,omitempty"` // its other columns; empty values are left out
	Line   int               `json:"line"`             // where it begins in the file, from 1
}

// Limits of a target list.
const (
	// Most is the most targets that one list has: to find a member that is named twice, some 50 bytes are kept of
	// each.
	Most = 2_000_000
	// maxTarget is the most bytes from one target to the next, so that a quote that is never closed does not fill the
	// memory.
	maxTarget = 1 << 20
	// maxProblems keeps an error readable when everything is wrong.
	maxProblems = 25
	// maxYAML is the most bytes of a list that cannot be read as a stream.
	maxYAML = 16 << 20
)

// Options say how a list is to be read.
type Options struct {
	Format  fleet.Format
	Kind    string // of the step: it says what members are called
	Groups  bool   // only the list says where members go
	Address string // of Terraform: which resources of a state are the members; "": all instances
}

// Read reads a target list to its end and yields each target as soon as it is read, so that the memory does not
// grow with the file, but for YAML, Terraform and for what finds members that are named twice. What was yielded counts only
// when the error is nil. A list that is not as it should be ends in a *membership.BadInput; an error of yield ends the
// reading and comes back as it is.
func Read(r io.Reader, o Options, yield func(Target) error) (Taken, error) {
	decoded := newDecoder(r)
	text := &meter{r: decoded, left: maxTarget}
	l := &targetList{text: text, in: bufio.NewReader(text), yield: yield, options: o, seen: make(map[memberHash]place),
		meanings: make(map[string]meaning)}
	err := l.read()
	l.taken.Encoding, l.taken.Members = decoded.encoding, l.count
	if err != nil && !errors.Is(err, errStop) {
		return l.taken, err
	}
	switch {
	case len(l.problems) > 0:
	case o.Address != "" && !l.terraform:
		l.problems = []membership.Problem{{Field: "targets.address", Value: membership.Quote(o.Address),
			Want: "is for a state of Terraform, which the file is not; leave it out"}}
	case l.count == 0:
		l.problems = []membership.Problem{{Field: "targets", Want: "the list names no member; want at least one"}}
	}
	return l.taken, membership.Bad(l.problems)
}

// targetList is a list that is being read.
type targetList struct {
	options   Options
	text      *meter
	in        *bufio.Reader // of text
	yield     func(Target) error
	noun      string // what a field of a target is called before its name, "column " in CSV
	count     int
	seen      map[memberHash]place
	problems  []membership.Problem
	meanings  map[string]meaning // by field
	taken     Taken
	terraform bool
}

// errStop ends the reading: the problems say why.
var errStop = errors.New("the list cannot be read further")

// memberHash stands for a member id: half a SHA-256 is enough for two ids never to share one.
type memberHash [sha256.Size / 2]byte

// place is where something stands in a list.
type place struct {
	line uint32 // from 1
	item uint32 // from 1; 0 in formats where a line is enough to find it
}

func (p place) String() string {
	if p.item == 0 {
		return fmt.Sprintf("line %d", p.line)
	}
	return fmt.Sprintf("line %d, item %d", p.line, p.item)
}

func (l *targetList) read() error {
	switch l.options.Format {
	case fleet.CSV:
		return readCSV(l)
	case fleet.JSON:
		return readJSON(l)
	case fleet.YAML:
		return readYAML(l)
	}
	return fmt.Errorf("%q is not a format of target lists; the formats are csv, json, yaml", l.options.Format)
}

// take takes problems down. It returns errStop when there are more than one wants to read.
func (l *targetList) take(ps ...membership.Problem) error {
	if l.problems = append(l.problems, ps...); len(l.problems) <= maxProblems {
		return nil
	}
	l.problems = append(l.problems[:maxProblems-1],
		membership.Problem{Field: "targets", Want: "the list has more problems; the rest was not looked at"})
	return errStop
}

// where names a field, or all that stands there when the field is "".
func (l *targetList) where(at place, field string) string {
	if field == "" {
		return at.String()
	}
	return at.String() + ", " + l.noun + readable(field)
}

// readable is the name of a field, in quotes where it is long or would steer a terminal.
func readable(field string) string {
	if len(field) > 60 || strings.ContainsFunc(field, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return membership.Quote(field)
	}
	return field
}

func (l *targetList) problem(at place, field, value, want string) error {
	return l.take(membership.Problem{Field: l.where(at, field), Value: value, Want: want})
}

// fatal takes down a problem behind which nothing can be read.
func (l *targetList) fatal(at place, value, want string) error {
	_ = l.problem(at, "", value, want) // it ends here in any case
	return errStop
}

// broken tells why the text could not be read on: that the file cannot be read, that a target does not end, or want.
func (l *targetList) broken(at place, want string) error {
	switch {
	case l.text.err != nil:
		return fmt.Errorf("reading the target list: %w", l.text.err)
	case l.text.left <= 0:
		return l.fatal(at, "", fmt.Sprintf("does not end within %d bytes; is a quote or bracket not closed?", maxTarget))
	}
	return l.fatal(at, "", want)
}

// draft is a target that is being read, field by field.
type draft struct {
	Target
	at     place
	member claim
	group  claim
	zone   claim
}

// claim is a field that has a role.
type claim struct {
	field, value string
	weak         bool
	bare         bool // it stands alone, and field is what it would be called
	at           place
}

func (d *draft) claim(r role) *claim {
	switch r {
	case isMember:
		return &d.member
	case isGroup:
		return &d.group
	}
	return &d.zone
}

// id gives the draft an id that stands alone.
func (l *targetList) id(d *draft, value string) error {
	if value == "" {
		return nil
	}
	d.member = claim{field: string(isMember), value: value, bare: true, at: d.at}
	return l.checkID(d.at, d.member.field, value)
}

// set gives the draft a field. Empty values are as good as none.
func (l *targetList) set(d *draft, line uint32, field, value string) error {
	return l.give(d, line, field, value, l.meaning(field))
}

func (l *targetList) give(d *draft, line uint32, field, value string, m meaning) error {
	at := place{line: line, item: d.at.item}
	if value == "" {
		return nil
	}
	if m.role == isTrait {
		return l.trait(d, at, field, value)
	}
	claimed := d.claim(m.role)
	now := claim{field: field, value: value, weak: m.weak, at: at}
	switch before := *claimed; {
	case before.field == "":
		*claimed = now
	case before.weak && !m.weak:
		*claimed = now
		if err := l.trait(d, before.at, before.field, before.value); err != nil {
			return err
		}
	case !before.weak && m.weak:
		return l.trait(d, at, field, value)
	case m.role == isZone:
		return l.problem(at, field, membership.Quote(value), "is the second value of "+before.field+"; want one")
	case m.role == isGroup:
		return l.problem(at, field, membership.Quote(value), "is a second group of the member; want one")
	case m.weak:
		return l.problem(at, field, membership.Quote(value), "may name the member, and so may "+readable(before.field)+
			"; call the right one member")
	default:
		return l.problem(at, field, membership.Quote(value), "is a second name of the member; want one, as member or id")
	}
	if m.role != isZone && !m.weak {
		return l.checkID(at, field, value)
	}
	return nil
}

// trait gives the draft a field that has no role.
func (l *targetList) trait(d *draft, at place, field, value string) error {
	switch _, twice := d.Traits[field]; {
	case field == "":
		return l.problem(at, "", membership.Quote(value), "stands under no name; want one such as zone, or no value")
	case twice:
		return l.problem(at, field, membership.Quote(value), "is the second value of "+field+"; want one")
	case broken(field), broken(value):
		return l.problem(at, field, membership.Quote(value), "is not "+l.encoding()+"; save the file as UTF-8")
	}
	if d.Traits == nil {
		d.Traits = make(map[string]string)
	}
	d.Traits[field] = value
	return nil
}

// broken reports whether bytes of a text stand for no character, or did so before they were decoded.
func broken(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError)
}

// encoding is what the list is written in.
func (l *targetList) encoding() string { return cmp.Or(l.text.r.encoding, encodingUTF8) }

func (l *targetList) checkID(at place, field, id string) error {
	ps := membership.CheckID(field, id)
	for i := range ps {
		ps[i].Field = l.where(at, field)
	}
	return l.take(ps...)
}

// add ends a draft: the target is yielded unless something is wrong, with it or with one before it.
func (l *targetList) add(d draft) error {
	if d.member.field == "" {
		return l.problem(d.at, "member", "", "is missing; want the member's id as member or as id")
	}
	for _, weak := range []claim{d.member, d.group} {
		if weak.weak {
			if err := l.checkID(weak.at, weak.field, weak.value); err != nil {
				return err
			}
		}
	}
	if d.zone.field != "" {
		if err := l.trait(&d, d.zone.at, membership.TraitZone, d.zone.value); err != nil {
			return err
		}
	}
	d.Member, d.Group = d.member.value, d.group.value
	if l.count++; l.count > Most {
		return l.fatal(d.at, "", fmt.Sprintf("has a target too many; want at most %d in a list: split it over several plans",
			Most))
	}
	if d.Member == "" {
		return nil // what should be one is told already
	}
	sum := sha256.Sum256([]byte(d.Member))
	hash := memberHash(sum[:])
	if first, twice := l.seen[hash]; twice {
		return l.problem(d.at, d.member.field, membership.Quote(d.Member),
			fmt.Sprintf("is the same as in %s; name each member once", first))
	}
	l.seen[hash] = d.at
	for _, r := range []role{isMember, isGroup, isZone} {
		if c := d.claim(r); c.field != "" && !c.bare {
			l.taken.note(r, c.field)
		}
	}
	if len(l.problems) > 0 {
		return nil
	}
	d.Line = int(d.at.line)
	return l.yield(d.Target)
}

// meter passes text on and ends it where one target is too long. It keeps the reader's error apart from those of the
// parsers, which have the same ones for a text that ends too early.
type meter struct {
	r    *decoder
	left int // bytes until the target that is being read is too long
	err  error
}

// next begins a target.
func (m *meter) next() { m.left = maxTarget }

// ended reports whether the text ends before its end.
func (m *meter) ended() bool { return m.err != nil || m.left <= 0 }

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errStop
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}
