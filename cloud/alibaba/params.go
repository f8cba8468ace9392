package alibaba

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const perPage = 100 // the most that a read takes and gives; left alone, a page has 10

var (
	// Ids go into lists that are separated by commas, into JSON and into paths.
	safeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	// Key pairs have names, in any script. An asterisk would be a pattern, and match the key pairs of others.
	safeName = regexp.MustCompile(`^[\pL\pN][\pL\pN._:-]{0,127}$`)
)

// checkIDs refuses ids that would say something else than an id.
func checkIDs(o op, ids ...string) error {
	for _, id := range ids {
		if !safeID.MatchString(id) {
			return refuse(o, "%q is no id; ids have letters, digits, '.', '_' and '-'", id)
		}
	}
	return nil
}

// checkNames refuses names that would say something else than a name.
func checkNames(o op, names ...string) error {
	for _, name := range names {
		if !safeName.MatchString(name) {
			return refuse(o, "%q is no name; names have letters, digits, '.', '_', ':' and '-'", name)
		}
	}
	return nil
}

// refuse is the error of a call that is not worth sending.
func refuse(o op, format string, args ...any) error {
	return &verdict.Error{Verdict: verdict.Rejected, Op: o.name,
		Message: verdict.Redact("not sent: " + fmt.Sprintf(format, args...))}
}

// unique returns ids sorted and once each, so that no id is asked for twice and no answer is counted twice.
func unique(ids []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// maxResults asks for pages of the greatest size, in the way of the newer actions, which page with a token.
func maxResults(query map[string]string) map[string]string {
	query["MaxResults"] = strconv.Itoa(perPage)
	return query
}

// pageSize asks for pages of a size, in the way of the older actions.
func pageSize(size int, query map[string]string) map[string]string {
	query["PageSize"] = strconv.Itoa(size)
	return query
}

// idsAsJSON gives many ids in one parameter, as a JSON array.
func idsAsJSON(name string) func([]string) map[string]string {
	return func(ids []string) map[string]string {
		return maxResults(map[string]string{name: asJSON(ids)})
	}
}

// asJSON writes ids as a JSON array. They need no escaping, or checkIDs would have refused them.
func asJSON(ids []string) string { return `["` + strings.Join(ids, `","`) + `"]` }

// idsNumbered gives each id in a parameter of its own: name.1, name.2, …
func idsNumbered(name string) func([]string) map[string]string {
	return func(ids []string) map[string]string { return maxResults(numbered(map[string]string{}, name, ids)) }
}

// numbered adds the parameters name.1, name.2, … to query.
func numbered(query map[string]string, name string, ids []string) map[string]string {
	for i, id := range ids {
		query[name+"."+strconv.Itoa(i+1)] = id
	}
	return query
}

// hide replaces a secret wherever it stands in text, be it plain or as it is written in a URL or in JSON.
func hide(secret, text string) string {
	if secret == "" {
		return text
	}
	quoted, err := json.Marshal(secret)
	if err != nil {
		quoted = nil
	}
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`)}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	for _, form := range forms {
		if form != "" {
			text = strings.ReplaceAll(text, form, "…")
		}
	}
	return text
}
