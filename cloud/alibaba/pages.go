package alibaba

import (
	"context"
	"encoding/json"
	"fmt"
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

// pages reads all pages of a list.
func pages[R any](ctx context.Context, c *Client, o op, query map[string]string, name string) (all []R, err error) {
	err = eachPage(ctx, c, o, query, name, func(page []R) error {
		all = append(all, page...)
		return nil
	})
	return all, err
}

// eachPage yields the pages of a list, one after the other. An answer without the list is none: taken for an empty one,
// it would say that things do not exist.
func eachPage[R any](ctx context.Context, c *Client, o op, query map[string]string, name string, yield func([]R) error,
) error {
	for asked := map[string]bool{}; ; {
		var page list[R]
		answer, err := call(ctx, c, o, request{query: query}, func(a *map[string]json.RawMessage) bool {
			return json.Unmarshal((*a)[name], &page) == nil && page != nil
		})
		if err != nil {
			return err
		}
		if err := yield(page); err != nil {
			return err
		}
		next := text(answer["NextToken"])
		if next == "" {
			return nil
		}
		if asked[next] {
			return &verdict.Error{Verdict: transient, Op: o.name, Message: "the pages go round in a circle"}
		}
		asked[next] = true
		query["NextToken"] = next
	}
}

// byNumber reads all pages of a list whose pages have numbers. page reads one, from 1 on, and says how many rows there
// are in all. When rows come or go meanwhile, others move to pages that were read or are not read any more: a row that
// is met twice counts once, and when one was missed, the reading is none.
func byNumber[R any](o op, id func(R) string, page func(n int) (rows []R, total int, err error)) ([]R, error) {
	var all []R
	met := map[string]bool{}
	for n := 1; ; n++ {
		rows, total, err := page(n)
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, row := range rows {
			if !met[id(row)] {
				met[id(row)] = true
				all = append(all, row)
			}
		}
		switch {
		case len(all) >= total:
			return all, nil
		case len(all) == before:
			return nil, &verdict.Error{Verdict: transient, Op: o.name,
				Message: fmt.Sprintf("the pages have %d of %d: they changed while they were read", len(all), total)}
		}
	}
}
