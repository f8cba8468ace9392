// Package strict decodes YAML and JSON into structs and refuses what the structs do not know, saying where.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Decode reads data, YAML or JSON, into the struct that into points to. An unknown field, a value of the wrong type
// or one that the field's own UnmarshalJSON refuses is an error that names the field by its path and quotes the
// value; all such errors are returned together.
func Decode(data []byte, into any) error {
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return err
	}
	var tree any
	numbers := json.NewDecoder(bytes.NewReader(text))
	numbers.UseNumber()
	if err := numbers.Decode(&tree); err != nil {
		return err
	}
	if err := errors.Join(check(reflect.TypeOf(into).Elem(), "", tree)...); err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// check compares the value at path with what type t can hold.
func check(t reflect.Type, path string, value any) []error {
	if value == nil {
		return nil
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return checkLeaf(t, path, value)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return check(t.Elem(), path, value)
	case reflect.Struct:
		return checkStruct(t, path, value)
	case reflect.Slice:
		items, ok := value.([]any)
		if !ok {
			return wrong(path, value, "a list")
		}
		var errs []error
		for i, item := range items {
			errs = append(errs, check(t.Elem(), fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return errs
	case reflect.Map:
		fields, ok := value.(map[string]any)
		if !ok {
			return wrong(path, value, "a mapping")
		}
		var errs []error
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			errs = append(errs, check(t.Elem(), join(path, key), fields[key])...)
		}
		return errs
	default:
		return checkLeaf(t, path, value)
	}
}

func checkStruct(t reflect.Type, path string, value any) []error {
	fields, ok := value.(map[string]any)
	if !ok {
		return wrong(path, value, "a mapping")
	}
	known := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			known[name] = f.Type
		}
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if ft, ok := known[key]; ok {
			errs = append(errs, check(ft, join(path, key), fields[key])...)
			continue
		}
		names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
		errs = append(errs, fmt.Errorf("%s: unknown field with value %s; known are %s",
			join(path, key), quote(fields[key]), names))
	}
	return errs
}

// checkLeaf lets encoding/json decide about a single value.
func checkLeaf(t reflect.Type, path string, value any) []error {
	err := json.Unmarshal([]byte(quote(value)), reflect.New(t).Interface())
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mismatch):
		return wrong(path, value, kindName(t))
	case err != nil:
		return []error{fmt.Errorf("%s: %w", path, err)}
	}
	return nil
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string (write it in quotes)"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return t.String()
}

func wrong(path string, value any, want string) []error {
	if path == "" {
		path = "top level"
	}
	return []error{fmt.Errorf("%s: %s is not %s", path, quote(value), want)}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// quote renders the value as JSON. It came from JSON, so that cannot fail.
func quote(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}
