package archive

import (
	"context"
	"iter"
	"sync"
)

// ReadAhead is how many pages are read at once. Each may come from a workflow that reads it, so that more would only queue.
const ReadAhead = 8

// inOrder does the work on 0 to n-1, a few at once and no further ahead than that of who takes the results, and hands
// them on in order. It ends with the first error, of those in order.
func inOrder[T any](ctx context.Context, n int, work func(ctx context.Context, i int) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		var running sync.WaitGroup
		defer running.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var queue []chan result
		next := 0
		for next < n || len(queue) > 0 {
			for ; next < n && len(queue) < ReadAhead; next++ {
				i, done := next, make(chan result, 1)
				queue = append(queue, done)
				running.Go(func() {
					v, err := work(ctx, i)
					done <- result{v, err}
				})
			}
			r := <-queue[0]
			queue = queue[1:]
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
		}
	}
}
