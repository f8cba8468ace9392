package devstack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A port that another process takes between the look for a free one and its use is no reason to give up; anything else is.
func TestAServerThatLostItsPortIsStartedAgain(t *testing.T) {
	for said, tries := range map[string]int{
		"listen tcp 127.0.0.1:40167: bind: address already in use": 5,
		"unknown flag: --ui-port":                                  1,
	} {
		starts := filepath.Join(t.TempDir(), "starts")
		program := filepath.Join(t.TempDir(), "temporal")
		require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho start >> '"+starts+"'\necho '"+said+"' >&2\nexit 1\n"), 0o700))
		s := &stack{Options: Options{Temporal: program}}
		err := s.startTemporal(t.Context())
		require.ErrorContains(t, err, "ended by itself")
		require.ErrorContains(t, err, said)
		data, err := os.ReadFile(starts)
		require.NoError(t, err)
		require.Equal(t, tries, strings.Count(string(data), "start"), said)
	}
}
