// Package targets reads lists of members, 1 to two million, from CSV, JSON or YAML: line by line where the format allows
// it, and with errors that name the line, the value and what would work.
package targets

import (
	"bufio"
	"bytes"
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

// Read reads a target list to its end and yields each target as soon as it is read, so that the memory does not
// grow with the file, but for YAML and for what finds members that are named twice. What was yielded counts only when
// the error is nil. A list that is not as it should be ends in a *membership.BadInput; an error of yield ends the
// reading and comes back as it is.
func Read(r io.Reader, format fleet.Format, yield func(Target) error) error {
	text := &meter{r: r, left: maxTarget}
	l := &targetList{text: text, in: bufio.NewReader(text), yield: yield, seen: make(map[memberHash]place)}
	var err error
	switch start, _ := l.in.Peek(3); { // whatever is wrong with the file, the reading below meets it, too
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		err = l.fatal(place{line: 1}, "", "is UTF-16; save the file as UTF-8")
	default:
		if bytes.Equal(start, []byte("\ufeff")) {
			_, _ = l.in.Discard(len(start)) // it is there: see above
		}
		err = l.read(format)
	}
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	if len(l.problems) == 0 && l.count == 0 {
		return membership.Bad([]membership.Problem{{Field: "targets", Want: "the list names no member; want at least one"}})
	}
	return membership.Bad(l.problems)
}

// targetList is a list that is being read.
type targetList struct {
	text     *meter
	in       *bufio.Reader // of text
	yield    func(Target) error
	noun     string // what a field of a target is called before its name, "column " in CSV
	count    int
	seen     map[memberHash]place
	problems []membership.Problem
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

func (l *targetList) read(format fleet.Format) error {
	switch format {
	case fleet.CSV:
		return readCSV(l)
	case fleet.JSON:
		return readJSON(l)
	case fleet.YAML:
		return readYAML(l)
	}
	return fmt.Errorf("%q is not a format of target lists; the formats are csv, json, yaml", format)
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
	if len(field) > 60 || strings.ContainsFunc(field, func(r rune) bool { return !unicode.IsPrint(r) }) {
		field = membership.Quote(field)
	}
	return at.String() + ", " + l.noun + field
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
	at    place
	names string // the field that names the member, "" while none does
}

// role returns what the field is to a target, "" for a trait.
func role(field string) string {
	switch strings.ToLower(field) {
	case "member", "id":
		return "member"
	case "group":
		return "group"
	}
	return ""
}

// set gives the draft a field. Empty values are as good as none.
func (l *targetList) set(d *draft, line uint32, field, value string) error {
	at := place{line: line, item: d.at.item}
	if value == "" {
		return nil
	}
	switch role(field) {
	case "member":
		if d.names != "" {
			return l.problem(at, field, membership.Quote(value), "is a second name of the member; want one, as member or id")
		}
		d.names, d.Member = field, value
		return l.checkID(at, field, value)
	case "group":
		if d.Group != "" {
			return l.problem(at, field, membership.Quote(value), "is a second group of the member; want one")
		}
		d.Group = value
		return l.checkID(at, field, value)
	}
	switch _, twice := d.Traits[field]; {
	case field == "":
		return l.problem(at, "", membership.Quote(value), "stands under no name; want one such as zone, or no value")
	case twice:
		return l.problem(at, field, membership.Quote(value), "is the second value of "+field+"; want one")
	case !utf8.ValidString(field), !utf8.ValidString(value):
		return l.problem(at, field, membership.Quote(value), "is not UTF-8; save the file as UTF-8")
	}
	if d.Traits == nil {
		d.Traits = make(map[string]string)
	}
	d.Traits[field] = value
	return nil
}

func (l *targetList) checkID(at place, field, id string) error {
	ps := membership.CheckID(field, id)
	for i := range ps {
		ps[i].Field = l.where(at, field)
	}
	return l.take(ps...)
}

// add ends a draft: the target is yielded unless something is wrong, with it or with one before it.
func (l *targetList) add(d draft) error {
	if d.names == "" {
		return l.problem(d.at, "member", "", "is missing; want the member's id as member or as id")
	}
	if l.count++; l.count > Most {
		return l.fatal(d.at, "", fmt.Sprintf("has a target too many; want at most %d in a list: split it over several plans",
			Most))
	}
	sum := sha256.Sum256([]byte(d.Member))
	hash := memberHash(sum[:])
	if first, twice := l.seen[hash]; twice {
		return l.problem(d.at, d.names, membership.Quote(d.Member),
			fmt.Sprintf("is the same as in %s; name each member once", first))
	}
	l.seen[hash] = d.at
	if len(l.problems) > 0 {
		return nil
	}
	d.Line = int(d.at.line)
	return l.yield(d.Target)
}

// meter passes text on and ends it where one target is too long. It keeps the reader's error apart from those of the
// parsers, which have the same ones for a text that ends too early.
type meter struct {
	r    io.Reader
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
