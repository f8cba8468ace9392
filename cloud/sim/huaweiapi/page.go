package huaweiapi

import (
	"net/url"
	"slices"
	"strconv"
)

// Whole reads a query value that must be a whole number from least to most; it is otherwise if it is not given.
func Whole(query url.Values, name string, least, most, otherwise int) (int, string) {
	if !query.Has(name) {
		return otherwise, ""
	}
	text := query.Get(name)
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, "The value " + text + " of " + name + " is not a number from " + strconv.Itoa(least) + " to " +
			strconv.Itoa(most) + "."
	}
	return n, ""
}

// Page cuts the page that limit and marker ask for, and returns the marker of the next one, "" if there is none. It
// returns a text if what is asked for makes no sense.
func Page[T any](all []T, query url.Values, most int, id func(T) string) (page []T, next, wrong string) {
	limit, wrong := Whole(query, "limit", 1, most, most)
	if wrong != "" {
		return nil, "", wrong
	}
	from := 0
	if marker := query.Get("marker"); marker != "" {
		from = 1 + slices.IndexFunc(all, func(x T) bool { return id(x) == marker })
		if from == 0 {
			return nil, "", "The marker " + marker + " is not in the list."
		}
	}
	page = all[from:min(from+limit, len(all))]
	if from+limit < len(all) {
		next = id(page[len(page)-1])
	}
	return page, next, ""
}
