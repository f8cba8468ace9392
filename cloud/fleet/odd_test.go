package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// odd are values that nobody means, and that come all the same.
var odd = map[string]string{
	"steers a terminal": "\x1b[31mred\x07\r",
	"has a zero byte":   "a\x00b",
	"is endless":        strings.Repeat("x", 3000),
	"is no UTF-8":       "\xb7\xfe\xce\xf1\xc6\xf7",
	"is not seen":       "a\u200b\u202eb",
	"has lines":         "a\nb",
}

// Whatever stands in whichever field of a plan, what is said of it can be shown, is short, and names the field.
func TestOddValuesOfEveryField(t *testing.T) {
	fields := 0
	eachText(reflect.TypeFor[fleet.Plan](), nil, func(path []string) {
		fields++
		for what, value := range odd {
			for _, name := range []string{path[len(path)-1], value} { // as a value, and as the name of a field that there is not
				plan := map[string]any{"kind": "huawei.servergroup", "account": "demo", "group": "g-1", "members": []any{"m-1"}}
				put(plan, append(path[:len(path)-1:len(path)-1], name), value)
				data, err := json.Marshal(plan)
				require.NoError(t, err)
				data = []byte(strings.ReplaceAll(string(data), `\ufffd`, "\xb7")) // JSON's encoder makes UTF-8 of all
				_, err = fleet.ParsePlan(data)
				if err == nil {
					continue // it is taken for what it is, such as a name for people
				}
				var bad *membership.BadInput
				require.True(t, errors.As(err, &bad), "%v %s: %v", path, what, err)
				for _, p := range bad.Problems {
					text := p.String()
					require.Less(t, len(text), 1500, "%v %s", path, what)
					require.True(t, utf8.ValidString(text), "%v %s: %q", path, what, text)
					require.Equal(t, -1, strings.IndexFunc(text, unicode.IsControl), "%v %s: %q", path, what, text)
					require.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return unicode.Is(unicode.Cf, r) }), "%v %s: %q", path, what, text)
				}
				if name != value && len(path) == 1 {
					require.Contains(t, err.Error(), path[0], "%v %s", path, what)
				}
			}
		}
	})
	require.Greater(t, fields, 25, "all fields of a plan that have a text")
}

// eachText calls with the path of each text in a plan, through lists and what they hold.
func eachText(t reflect.Type, path []string, call func(path []string)) {
	switch t.Kind() {
	case reflect.Pointer:
		eachText(t.Elem(), path, call)
	case reflect.Slice:
		eachText(t.Elem(), append(path[:len(path):len(path)], "[]"), call)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous && name == "":
				eachText(f.Type, path, call)
			case name != "" && name != "-":
				eachText(f.Type, append(path[:len(path):len(path)], name), call)
			}
		}
	case reflect.String, reflect.Int64, reflect.Int, reflect.Bool, reflect.Map, reflect.Float64:
		call(path) // who writes a text where none belongs is told, too
	default:
		panic(fmt.Sprint("a plan with a ", t))
	}
}

// put puts a value where a path leads to.
func put(into map[string]any, path []string, value string) {
	name, rest := path[0], path[1:]
	switch {
	case len(rest) == 0:
		into[name] = value
	case rest[0] == "[]" && len(rest) == 1:
		into[name] = []any{value}
	case rest[0] == "[]":
		inner := make(map[string]any)
		put(inner, rest[1:], value)
		into[name] = []any{inner}
	default:
		inner := make(map[string]any)
		put(inner, rest, value)
		into[name] = inner
	}
}
