package world

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachField yields the fields of a struct and of those in it.
func eachField(t reflect.Type, yield func(reflect.StructField)) {
	for i := range t.NumField() {
		f := t.Field(i)
		yield(f)
		inner := f.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && strings.HasPrefix(inner.PkgPath(), t.PkgPath()) {
			eachField(inner, yield)
		}
	}
}

func TestDefaultsAreValuesThatAFieldCanHave(t *testing.T) {
	seen := 0
	eachField(reflect.TypeFor[Huawei](), func(f reflect.StructField) {
		text, known := f.Tag.Get("default"), strings.Fields(f.Tag.Get("oneOf"))
		if text == "" {
			return
		}
		seen++
		set(reflect.New(f.Type).Elem(), text) // or it panics
		require.True(t, len(known) == 0 || slices.Contains(known, text), f.Name)
	})
	require.Greater(t, seen, 20)
}

// TestEveryFieldIsInThePage: what a world file can say of Huawei Cloud is described.
func TestEveryFieldIsInThePage(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/docs/world.md")
	require.NoError(t, err)
	named := map[string]bool{}
	page := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(text), "")
	for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(page, -1) {
		for _, part := range strings.FieldsFunc(quoted[1], func(r rune) bool { return strings.ContainsRune(".[]<>{}: ,", r) }) {
			named[part] = true
		}
	}
	eachField(reflect.TypeFor[Huawei](), func(f reflect.StructField) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		require.True(t, name == "" || named[name], "world.md does not tell of %s", name)
	})
}
