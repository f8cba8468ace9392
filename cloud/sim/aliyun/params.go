package aliyun

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a call, however they came.
type params struct{ url.Values }

// indexed matches the parameters of a list, such as InstanceId.1 and Tag.2.Key.
var indexed = regexp.MustCompile(`\.[1-9][0-9]*(\.|$)`)

// generic takes the index out of a parameter's name: Tag.2.Key becomes Tag.N.Key.
func generic(name string) string { return indexed.ReplaceAllString(name, ".N$1") }

// always are the parameters that every call may carry: those of the signature and those that name the caller.
var always = []string{"AccessKeyId", "Action", "Format", "Signature", "SignatureMethod", "SignatureNonce",
	"SignatureType", "SignatureVersion", "SecurityToken", "Timestamp", "Version", "RegionId", "OwnerId", "OwnerAccount",
	"ResourceOwnerId", "ResourceOwnerAccount"}

// unknown returns a parameter that the route does not know, or "". Ignoring it would answer another question.
func (p params) unknown(known []string) string {
	var names []string
	for name := range p.Values {
		if g := generic(name); !slices.Contains(always, g) && !slices.Contains(known, g) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// list returns the values of name.1, name.2 and so on, without gaps.
func (p params) list(name string) []string {
	var values []string
	for i := 1; ; i++ {
		value, ok := p.Values[fmt.Sprintf("%s.%d", name, i)]
		if !ok {
			return values
		}
		values = append(values, value[0])
	}
}

// ids reads the ids that a parameter names: "Name.N" is a list, "Name," is joined by commas, "Name[]" a JSON array,
// and a plain "Name" a single id. The result is nil if the parameter is not there.
func (p params) ids(form string) ([]string, *refusal) {
	if name, ok := strings.CutSuffix(form, ".N"); ok {
		return p.list(name), nil
	}
	name := strings.TrimRight(form, "[],")
	text := p.Get(name)
	switch {
	case text == "":
		return nil, nil
	case strings.HasSuffix(form, ","):
		return strings.Split(text, ","), nil
	case strings.HasSuffix(form, "[]"):
		ids := []string{}
		if json.Unmarshal([]byte(text), &ids) != nil {
			return nil, invalid(name)
		}
		return ids, nil
	}
	return []string{text}, nil
}

// parameter is the name as it is in the call of what ids calls a form.
func parameter(form string) string {
	if strings.HasSuffix(form, ".N") {
		return form
	}
	return strings.TrimRight(form, "[],")
}

// whole reads a number from least to most.
func (p params) whole(name string, otherwise, least, most int) (int, *refusal) {
	text := p.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, invalid(name)
	}
	return n, nil
}

// flag reads true or false.
func (p params) flag(name string) (bool, *refusal) {
	switch strings.ToLower(p.Get(name)) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, invalid(name)
}

// paging is which part of a list a call wants.
type paging struct {
	byToken      bool
	from, size   int
	number       int // of the page
	tokensServed bool
}

// paging reads PageNumber and PageSize, or, where the call has them, MaxResults and NextToken, which win. Without any
// of them a page is 10 long.
func (p params) paging(most int, tokens bool) (paging, *refusal) {
	g := paging{tokensServed: tokens}
	var r *refusal
	if tokens && (p.Has("MaxResults") || p.Has("NextToken")) {
		return p.tokenPaging(most, 10)
	}
	if g.size, r = p.whole("PageSize", 10, 1, most); r != nil {
		return g, r
	}
	if g.number, r = p.whole("PageNumber", 1, 1, 1<<30); r != nil {
		return g, r
	}
	g.from = (g.number - 1) * g.size
	return g, nil
}

// tokenPaging reads MaxResults and NextToken.
func (p params) tokenPaging(most, otherwise int) (paging, *refusal) {
	g := paging{tokensServed: true, byToken: true}
	var r *refusal
	if g.size, r = p.whole("MaxResults", otherwise, 1, most); r != nil {
		return g, r
	}
	if token := p.Get("NextToken"); token != "" {
		from, err := strconv.Atoi(strings.TrimPrefix(token, tokenPrefix))
		if err != nil || from < 0 || !strings.HasPrefix(token, tokenPrefix) {
			return g, badRequest("InvalidParameter.NextToken", "The specified NextToken is not valid.")
		}
		g.from = from
	}
	return g, nil
}

// tokenPrefix makes a position in a list into something that nobody takes for a number.
const tokenPrefix = "AAAAAdDWBF2"

// cut returns the wanted part of all, and the fields that tell about the paging.
func cut[T any](all []T, g paging) ([]T, map[string]any) {
	from := min(g.from, len(all))
	to := min(from+g.size, len(all))
	body := map[string]any{}
	if g.tokensServed {
		body["NextToken"] = ""
	}
	if !g.byToken {
		body["TotalCount"], body["PageNumber"], body["PageSize"] = len(all), g.number, g.size
	}
	if g.tokensServed && to < len(all) {
		body["NextToken"] = tokenPrefix + strconv.Itoa(to)
	}
	return all[from:to], body
}

// field returns name.1.field, name.2.field and so on; those after the last name.N.Key are not looked for.
func (p params) field(name, field string) []string {
	var values []string
	for i := 1; p.Has(fmt.Sprintf("%s.%d.Key", name, i)); i++ {
		values = append(values, p.Get(fmt.Sprintf("%s.%d.%s", name, i, field)))
	}
	return values
}
