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
	// hidden are the statuses of things that the cloud leaves out unless it is asked for that one status.
	hidden []string
}

// including returns a reading that also finds things in statuses that are hidden.
func (r reading) including(hidden ...string) reading {
	r.hidden = hidden
	return r
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
		for _, status := range append([]string{""}, by.hidden...) {
			rest := slices.DeleteFunc(slices.Clone(chunk), func(id string) bool {
				_, ok := found[id]
				return ok
			})
			if len(rest) == 0 {
				break
			}
			query := by.query(rest)
			if status != "" {
				query["Status"] = status
			}
			rows, err := pages[R](ctx, c, by.op, query, by.list)
			if err != nil {
				return nil, err
			}
			for i := range rows {
				if id, thing := what(&rows[i]); slices.Contains(rest, id) {
					found[id] = thing
				}
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
// are in all. When rows go meanwhile, those behind them move to the pages before: so the first page, which tells how many
// there are, is followed by the last, and so on back to the first, and a row that moves is met on its way. One that moves
// the other way, since others come before it, can be missed; then the first page has changed, or rows are too few, and the
// reading is none.
func byNumber[R any](o op, id func(R) string, page func(n int) (rows []R, total int, err error)) ([]R, error) {
	met := map[string]bool{}
	fresh := func(n int) (rows []R, total int, err error) {
		rows, total, err = page(n)
		return slices.DeleteFunc(rows, func(r R) bool {
			again := met[id(r)]
			met[id(r)] = true
			return again
		}), total, err
	}
	all, total, err := fresh(1)
	if err != nil {
		return nil, err
	}
	changed := false
	if size := len(all); 0 < size && size < total {
		var back [][]R
		for n := (total + size - 1) / size; n > 0 && !changed; n-- {
			var rows []R
			if rows, total, err = fresh(n); err != nil {
				return nil, err
			}
			back = append(back, rows)
			changed = (len(rows) > 0) == (n == 1) // all but the first, which was met, have something new
		}
		slices.Reverse(back)
		all = append(all, slices.Concat(back...)...)
	}
	if changed || len(all) < total {
		return nil, &verdict.Error{Verdict: transient, Op: o.name,
			Message: fmt.Sprintf("the pages have %d of %d: they changed while they were read", len(all), total)}
	}
	return all, nil
}
