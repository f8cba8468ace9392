package membership

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Operation is what a run does with its members.
type Operation string

const (
	Join  Operation = "join"
	Leave Operation = "leave"
)

// MaxMembers is the most members that one cohort takes: a page.
const MaxMembers = 200

// Request is what one cohort is for: members of one group, and what a kind is asked about them.
type Request struct {
	Kind    string `json:"kind"`    // such as "huawei.servergroup"
	Account string `json:"account"` // a name in the worker's accounts file; never a credential
	Group   string `json:"group"`   // the id of the group
	// From is the id of a group that members leave as they join; "": none. Who is not in it is refused.
	From    string   `json:"from,omitempty"`
	Members []string `json:"members"` // ids, 1 to MaxMembers, each once
	Params  Params   `json:"params,omitempty"`
}

// Params are the kind's own parameters, as given.
type Params map[string]any

// Problem is one thing that is wrong with what somebody gave us.
type Problem struct {
	Field string `json:"field"`           // where, such as "members[3]"
	Value string `json:"value,omitempty"` // what stood there, cut to a readable length
	Want  string `json:"want"`            // what would work
}

func (p Problem) String() string {
	if p.Value == "" {
		return fmt.Sprintf("%s: %s", p.Field, p.Want)
	}
	return fmt.Sprintf("%s: %s: %s", p.Field, p.Value, p.Want)
}

// BadInput is an error made of problems: nothing was started and nothing was touched.
type BadInput struct{ Problems []Problem }

func (e *BadInput) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Bad makes an error of problems, nil when there are none. Names and words in them may come from anywhere: they are made fit
// to be shown here, once for all.
func Bad(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	const longName, longText = 200, 1000
	shown := make([]Problem, len(problems))
	for i, p := range problems {
		shown[i] = Problem{Field: printable(p.Field, longName), Value: printable(p.Value, longName), Want: printable(p.Want, longText)}
	}
	return &BadInput{Problems: shown}
}

// Printable is a text on one line, in UTF-8, without characters that steer a terminal.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return unicode.ReplacementChar
		}
		return r // what is no UTF-8 has become the replacement character by now
	}, text)
}

// printable is Printable in at most so many bytes.
func printable(text string, most int) string {
	if text = Printable(text); len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// Quote renders a value for a Problem: quoted, so that blanks and control characters show, and never long.
func Quote(v string) string {
	const most = 60
	if len(v) > most {
		return fmt.Sprintf("%q… (%d bytes)", strings.ToValidUTF8(v[:most], ""), len(v))
	}
	return fmt.Sprintf("%q", v)
}

// Count says how many there are, such as "1 member" or "3 members".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Few cuts a list to what one wants to read of it.
func Few(all []string) []string {
	const most = 5
	if len(all) > most {
		return append(slices.Clone(all[:most]), fmt.Sprintf("and %d more", len(all)-most))
	}
	return all
}

// Short cuts words that came from elsewhere to what a run may carry along of them.
func Short(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

var (
	idPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
	namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

const (
	wantID   = "want an id of 1 to 128 letters, digits, '.', '_', ':' or '-', beginning with a letter or digit"
	wantName = "want a name of 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
)

// CheckID returns what is wrong with the id of a group or a member. Ids are substituted into URL paths, so nothing that
// could change a path passes.
func CheckID(field, id string) []Problem { return check(field, id, idPattern, wantID) }

// CheckFrom returns what is wrong with the group that members are to leave for another one.
func CheckFrom(field, from, group string) []Problem {
	switch {
	case from == "":
		return nil
	case from == group:
		return []Problem{{Field: field, Value: Quote(from), Want: "is the group itself; want another one"}}
	}
	return CheckID(field, from)
}

// CheckName returns what is wrong with the name of a kind or an account.
func CheckName(field, name string) []Problem { return check(field, name, namePattern, wantName) }

func check(field, value string, pattern *regexp.Regexp, want string) []Problem {
	switch {
	case value == "":
		return []Problem{{Field: field, Want: "is missing; " + want}}
	case !pattern.MatchString(value):
		return []Problem{{Field: field, Value: Quote(value), Want: want}}
	}
	return nil
}

// Problems returns everything that is wrong with the request whatever its kind.
func (r Request) Problems() []Problem {
	ps := CheckName("kind", r.Kind)
	ps = append(ps, CheckName("account", r.Account)...)
	ps = append(ps, CheckID("group", r.Group)...)
	ps = append(ps, CheckFrom("from", r.From, r.Group)...)
	switch n := len(r.Members); {
	case n == 0:
		ps = append(ps, Problem{Field: "members", Want: "is empty; want 1 to " + fmt.Sprint(MaxMembers) + " ids"})
	case n > MaxMembers:
		ps = append(ps, Problem{Field: "members", Value: fmt.Sprint(n) + " ids",
			Want: fmt.Sprintf("want at most %d in one run; split them over several", MaxMembers)})
	}
	first := make(map[string]int, len(r.Members))
	for i, id := range r.Members {
		field := fmt.Sprintf("members[%d]", i)
		ps = append(ps, CheckID(field, id)...)
		if at, twice := first[id]; twice && id != "" {
			ps = append(ps, Problem{Field: field, Value: Quote(id), Want: fmt.Sprintf("is the same as members[%d]; name each member once", at)})
		} else {
			first[id] = i
		}
		if len(ps) >= maxProblems {
			ps = append(ps, Problem{Field: "members", Want: "and more; the rest was not looked at"})
			break
		}
	}
	return ps
}

// maxProblems keeps an error readable when everything is wrong.
const maxProblems = 25

// JSONProblem puts encoding/json's errors into words that name the field. thing is what was read, such as "plan", and
// want says what a whole one looks like.
func JSONProblem(thing, want string, err error) Problem {
	var typed *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typed) && typed.Field != "":
		return Problem{Field: jsonPath(typed.Field), Value: "a JSON " + typed.Value, Want: wantType(typed.Type)}
	case errors.As(err, &typed):
		return Problem{Field: thing, Value: "a JSON " + typed.Value, Want: want}
	case errors.As(err, &syntax):
		return Problem{Field: thing, Want: fmt.Sprintf("is not JSON: %v at byte %d; %s", err, syntax.Offset, want)}
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return Problem{Field: strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`),
			Want: "is not a field of a " + thing + "; " + want}
	default:
		return Problem{Field: thing, Want: fmt.Sprintf("cannot be read (%v); %s", err, want)}
	}
}

// jsonPath drops the names of embedded structs, which encoding/json reports although no JSON has them.
func jsonPath(field string) string {
	parts := strings.Split(field, ".")
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s != "" && 'A' <= s[0] && s[0] <= 'Z' }), ".")
}

// wantType says what JSON fits a Go type, for people who know nothing of Go.
func wantType(t reflect.Type) string {
	if t == reflect.TypeFor[Duration]() {
		return `want a duration such as "90s" or "10m"`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wantType(t.Elem())
	case reflect.Slice:
		return "want a list"
	case reflect.Struct, reflect.Map:
		return "want an object"
	case reflect.Int:
		return "want a whole number"
	case reflect.Bool:
		return "want true or false"
	default:
		return "want a " + t.Kind().String()
	}
}
