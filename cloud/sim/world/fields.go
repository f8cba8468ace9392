package world

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// What can be said of a field by itself stands in its tags, where it is declared:
//
//	default:"ok"        what it is if the world file does not say
//	oneOf:"ok error"    the values that it can have
//	least:"1"           the least number that it can be; without it, 0
//	most:"100"          the greatest

// fill gives empty fields their defaults, in the struct that into points to and in those in it. Lists must not be shared.
func fill(into any) { fillStruct(reflect.ValueOf(into).Elem()) }

func fillStruct(s reflect.Value) {
	for i := range s.NumField() {
		f, v := s.Type().Field(i), s.Field(i)
		switch {
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
			for k := range v.Len() {
				fillStruct(v.Index(k))
			}
		case v.Kind() == reflect.Struct:
			fillStruct(v)
		case v.CanSet() && v.IsZero() && f.Tag.Get("default") != "":
			set(v, f.Tag.Get("default"))
		}
	}
}

// set gives a field the value that a text stands for. The texts are our own, so one that does not fit is a bug.
func set(v reflect.Value, text string) {
	switch v.Interface().(type) {
	case string:
		v.SetString(text)
	case int:
		v.SetInt(int64(whole(text)))
	case clock.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			panic(err)
		}
		v.SetInt(int64(d))
	case *bool:
		yes := text == "true"
		v.Set(reflect.ValueOf(&yes))
	default:
		panic(fmt.Sprintf("world: a default for %s", v.Type()))
	}
}

func whole(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// fields checks the values in a struct, which stands at a place of the world file, and of those in it.
func (v *validation) fields(at string, in any) { v.structFields(at, reflect.ValueOf(in)) }

func (v *validation) structFields(at string, s reflect.Value) {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		place := at
		if name != "" {
			place = at + "." + name
		}
		if f.IsExported() {
			v.field(place, f.Tag, s.Field(i))
		}
	}
}

func (v *validation) field(at string, tag reflect.StructTag, x reflect.Value) {
	switch x.Kind() {
	case reflect.Struct:
		v.structFields(at, x)
	case reflect.Slice:
		for i := range x.Len() {
			v.field(fmt.Sprintf("%s[%d]", at, i), tag, x.Index(i))
		}
	case reflect.Map:
		if x.Type().Elem().Kind() == reflect.Struct {
			keys := x.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			for _, key := range keys {
				v.field(at+"."+key.String(), tag, x.MapIndex(key))
			}
		}
	case reflect.String:
		if known := tag.Get("oneOf"); known != "" {
			v.oneOf(at, x.String(), strings.Fields(known)...)
		}
	case reflect.Int, reflect.Int64:
		v.number(at, tag, float64(x.Int()), "is less than 0")
	case reflect.Float64:
		v.number(at, tag, x.Float(), "is negative")
	}
}

// number checks a number against its bounds.
func (v *validation) number(at string, tag reflect.StructTag, n float64, negative string) {
	least, most := tag.Get("least"), tag.Get("most")
	switch {
	case most != "" && (n < 0 || n > float64(whole(most))):
		v.bad(at, n, "is not between 0 and "+most)
	case least != "" && n < float64(whole(least)):
		v.bad(at, n, "is less than "+least)
	case n < 0:
		v.bad(at, n, negative)
	}
}
