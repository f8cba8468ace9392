package journal_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

func save(journal.Entry) error { return nil }

func TestLimit(t *testing.T) {
	j := journal.New(100)
	var early []journal.Entry
	for i := range 1000 {
		require.NoError(t, j.Append(journal.Entry{}, save))
		if i == 50 {
			early = j.Entries()
		}
		require.GreaterOrEqual(t, len(j.Entries()), min(i+1, 100))
		require.LessOrEqual(t, len(j.Entries()), 126)
	}
	entries := j.Entries()
	for i, e := range entries {
		require.EqualValues(t, 1000-len(entries)+i+1, e.Seq)
	}
	require.Len(t, early, 51)
	require.EqualValues(t, 51, early[50].Seq, "an old view stays as it was")
}

func TestSaving(t *testing.T) {
	j := journal.New(10)
	j.Continue(5)
	broken := errors.New("disk full")
	err := j.Append(journal.Entry{}, func(e journal.Entry) error {
		require.EqualValues(t, 6, e.Seq)
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Len(t, j.Entries(), 1)
	j.Reset()
	require.Empty(t, j.Entries())
	require.EqualValues(t, 6, j.Seq())
}

func TestWait(t *testing.T) {
	j := journal.New(10)
	done := make(chan error)
	go func() {
		done <- j.Wait(context.Background(), func(e []journal.Entry) bool { return len(e) == 3 })
	}()
	for range 3 {
		require.NoError(t, j.Append(journal.Entry{}, save))
	}
	require.NoError(t, <-done)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, j.Wait(ctx, func([]journal.Entry) bool { return false }), context.Canceled)
}

func TestSelect(t *testing.T) {
	j := journal.New(10)
	for _, e := range []journal.Entry{
		{Action: "A", Servers: []string{"x", "y"}, Write: true, Effect: journal.Changed, Account: "m"},
		{Action: "B", Group: "g", Fault: "delay"},
		{Action: "A", Write: true, Effect: journal.None},
	} {
		require.NoError(t, j.Append(e, save))
	}
	seqs := func(f journal.Filter) []int64 {
		var seqs []int64
		for _, e := range j.Select(f) {
			seqs = append(seqs, e.Seq)
		}
		return seqs
	}
	require.Equal(t, []int64{1, 2, 3}, seqs(journal.Filter{}))
	require.Equal(t, []int64{1, 3}, seqs(journal.Filter{Action: "A"}))
	require.Equal(t, []int64{1}, seqs(journal.Filter{Server: "y"}))
	require.Equal(t, []int64{2}, seqs(journal.Filter{Group: "g"}))
	require.Equal(t, []int64{2}, seqs(journal.Filter{Fault: "delay"}))
	require.Equal(t, []int64{3}, seqs(journal.Filter{Effect: journal.None}))
	require.Equal(t, []int64{1, 3}, seqs(journal.Filter{Writes: true}))
	require.Equal(t, []int64{1}, seqs(journal.Filter{Account: "m"}))
	require.Equal(t, []int64{2, 3}, seqs(journal.Filter{Since: 1}))
}
