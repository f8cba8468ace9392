package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// misfits returns every value of the JSON that no plan has there: fields that are none, and values of another type.
// encoding/json stops at the first, and does not say in which of several steps or windows it is.
func misfits(data []byte) []membership.Problem {
	var m misfit
	var whole json.RawMessage
	if json.NewDecoder(bytes.NewReader(data)).Decode(&whole) != nil {
		return nil // it is no JSON, and has no fields
	}
	m.value("", whole, reflect.TypeFor[Plan]())
	return Limited(m.problems)
}

type misfit struct{ problems []membership.Problem }

// value compares what stands at a path with the type that belongs there.
func (m *misfit) value(at string, raw json.RawMessage, t reflect.Type) {
	switch kind := t.Kind(); {
	case len(m.problems) > MaxProblems, string(raw) == "null":
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		m.leaf(at, raw, t)
	case kind == reflect.Pointer:
		m.value(at, raw, t.Elem())
	case kind == reflect.Struct && raw[0] == '{':
		m.object(at, raw, t)
	case kind == reflect.Slice && raw[0] == '[':
		var items []json.RawMessage
		_ = json.Unmarshal(raw, &items) // it is a part of what was JSON
		for i, item := range items {
			m.value(fmt.Sprintf("%s[%d]", at, i), item, t.Elem())
		}
	default:
		m.leaf(at, raw, t)
	}
}

func (m *misfit) object(at string, raw json.RawMessage, t reflect.Type) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.Token() // all of it is JSON, and an object
	known := fieldsOf(t)
	for dec.More() && len(m.problems) <= MaxProblems {
		token, _ := dec.Token()
		name, _ := token.(string)
		var value json.RawMessage
		_ = dec.Decode(&value)
		own := name
		if quoted := membership.Quote(name); quoted != `"`+name+`"` {
			own = quoted // too long to be read, or not to be printed
		}
		if at != "" {
			own = at + "." + own
		}
		if i := slices.IndexFunc(known, func(f field) bool { return strings.EqualFold(f.name, name) }); i >= 0 {
			m.value(own, value, known[i].typ)
			continue
		}
		has := at
		if at == "" {
			has = "it"
		}
		m.problems = append(m.problems, membership.Problem{Field: own,
			Want: "is not a field of a plan; " + has + " has " + listOf(known)})
	}
}

// leaf reads a value as encoding/json would, which knows best what it takes.
func (m *misfit) leaf(at string, raw json.RawMessage, t reflect.Type) {
	var typed *json.UnmarshalTypeError
	if err := json.Unmarshal(raw, reflect.New(t).Interface()); !errors.As(err, &typed) {
		return
	}
	p := membership.Problem{Field: at, Value: "a JSON " + describe(raw)}
	switch kind := t.Kind(); {
	case at == "":
		p.Field, p.Want = "plan", wantPlan
	case typed.Type == reflect.TypeFor[Share]():
		p.Want = wantShare
	case kind == reflect.Struct:
		p.Want = "want an object with " + listOf(fieldsOf(t))
	case kind == reflect.String && raw[0] != '{' && raw[0] != '[':
		p.Want = "want a string; put it in quotes"
	default:
		typed.Field = at
		p.Want = membership.JSONProblem("plan", wantPlan, typed).Want
	}
	m.problems = append(m.problems, p)
}

// field is what a type has in JSON.
type field struct {
	name string
	typ  reflect.Type
}

// fieldsOf returns the fields of a struct, those of embedded ones among them.
func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fields = append(fields, fieldsOf(f.Type)...)
		case name != "-":
			fields = append(fields, field{name: name, typ: f.Type})
		}
	}
	return fields
}

func listOf(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// describe says what kind of value stands where another should be, and which.
func describe(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		var text string
		_ = json.Unmarshal(raw, &text) // it is a part of what was JSON
		return "string " + membership.Quote(text)
	case '[':
		return "array"
	case '{':
		return "object"
	case 't', 'f':
		return "value " + string(raw)
	default:
		return "number " + strings.Trim(membership.Quote(string(raw)), `"`)
	}
}
