package alibaba

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// reading is how an action reads things by their ids.
type reading struct {
	op    op
	list  string                           // the name of the list in the answer
	chunk int                              // how many ids it takes at once
	query func([]string) map[string]string // asks for ids; it must ask for a page that has room for all of them
	check func(o op, ids ...string) error  // refuses ids that would mean something else
}

// read reads things by id in chunks. Those that do not exist are absent from the result: the cloud leaves them out
// without a word. what takes a row and says which id it answers to.
func read[R, T any](
	ctx context.Context, c *Client, by reading, ids []string, what func(*R) (string, T),
) (map[string]T, error) {
	if err := by.check(by.op, ids...); err != nil {
		return nil, err
	}
	found := make(map[string]T, len(ids))
	for chunk := range slices.Chunk(unique(ids), by.chunk) {
		rows, err := pages[R](ctx, c, by.op, by.query(chunk), by.list)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if id, thing := what(&rows[i]); slices.Contains(chunk, id) {
				found[id] = thing
			}
		}
	}
	return found, nil
}

// pages reads all pages of a list. An answer without the list is none: taken for an empty one, it would say that things
// do not exist.
func pages[R any](ctx context.Context, c *Client, o op, query map[string]string, name string) ([]R, error) {
	var all []R
	for asked := map[string]bool{}; ; {
		var page list[R]
		answer, err := call(ctx, c, o, request{query: query}, func(a *map[string]json.RawMessage) bool {
			return json.Unmarshal((*a)[name], &page) == nil && page != nil
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		next := text(answer["NextToken"])
		if next == "" {
			return all, nil
		}
		if asked[next] {
			return nil, &verdict.Error{Verdict: transient, Op: o.name, Message: "the pages go round in a circle"}
		}
		asked[next] = true
		query["NextToken"] = next
	}
}
