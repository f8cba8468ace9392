package cli

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/fleetjoin/fleetjoin/cloud/ballot"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// keyFiles writes a key as ssh-keygen does: id, id-locked with the passphrase "open", and id.pub.
func keyFiles(t *testing.T) (dir string, private ed25519.PrivateKey, allowed *ballot.Signers) {
	t.Helper()
	dir = t.TempDir()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	plain, err := ssh.MarshalPrivateKey(private, "bob")
	require.NoError(t, err)
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(private, "bob", []byte("open"))
	require.NoError(t, err)
	key, err := ssh.NewPublicKey(public)
	require.NoError(t, err)
	for name, data := range map[string][]byte{"id": pem.EncodeToMemory(plain), "id-locked": pem.EncodeToMemory(locked),
		"id.pub": ssh.MarshalAuthorizedKey(key), "rubbish": []byte("rubbish")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	allowed, err = ballot.ParseSigners(append([]byte("bob "), ssh.MarshalAuthorizedKey(key)...), "allowed_signers")
	require.NoError(t, err)
	return dir, private, allowed
}

// serveAgent runs an ssh-agent with keys, and points SSH_AUTH_SOCK to it.
func serveAgent(t *testing.T, keys ...ed25519.PrivateKey) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		require.NoError(t, ring.Add(agent.AddedKey{PrivateKey: k}))
	}
	dir, err := os.MkdirTemp("", "agent") // t.TempDir can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
}

func TestVotesAreSigned(t *testing.T) {
	dir, private, allowed := keyFiles(t)
	serveAgent(t, private)
	f, _, _ := testFactory(t)
	f.Passphrase = func(_ context.Context, prompt string) ([]byte, error) {
		require.Equal(t, "passphrase of "+dir+"/id-locked: ", prompt)
		return []byte("open"), nil
	}
	v := membership.Vote{By: "bob", Approves: true, Digest: "sha256:d", Reason: "go"}
	for _, s := range []Signing{{Key: dir + "/id"}, {Key: dir + "/id-locked"}, {Key: dir + "/id.pub", Agent: true}} {
		armored, err := sign(t.Context(), f, s, v)
		require.NoError(t, err, s)
		require.NoError(t, allowed.Check(v, armored, time.Now()), s)
	}
	armored, err := sign(t.Context(), f, Signing{}, v)
	require.NoError(t, err)
	require.Empty(t, armored, "nobody asked for it")
}

func TestKeysThatCannotBeUsedAreExplained(t *testing.T) {
	dir, _, _ := keyFiles(t)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	wrong := func(context.Context, string) ([]byte, error) { return []byte("sesame"), nil }
	for name, c := range map[string]struct {
		signing Signing
		ask     func(context.Context, string) ([]byte, error)
		words   string
	}{
		"no such file":     {Signing{Key: dir + "/none"}, nil, `/none": does not exist; name a key file of OpenSSH`},
		"a folder":         {Signing{Key: dir}, nil, "cannot be read"},
		"rubbish":          {Signing{Key: dir + "/rubbish"}, nil, "is not a private key that can be used (ssh: no key found)"},
		"public":           {Signing{Key: dir + "/id.pub"}, nil, "is a public key; name the private one, or let ssh-agent sign: --agent"},
		"wrong passphrase": {Signing{Key: dir + "/id-locked"}, wrong, "does not open: the passphrase is wrong"},
		"no terminal":      {Signing{Key: dir + "/id-locked"}, nil, "has a passphrase, and there is no terminal to ask for it"},
		"agent, no key":    {Signing{Agent: true}, nil, "--agent: does not say which key"},
		"agent, private":   {Signing{Agent: true, Key: dir + "/id"}, nil, "is not a public key; with --agent, name the .pub file"},
		"agent, stranger":  {Signing{Agent: true, Key: dir + "/id.pub"}, nil, "/id.pub; add it with ssh-add (it has SHA256:"},
	} {
		t.Run(name, func(t *testing.T) {
			serveAgent(t, stranger)
			f, _, _ := testFactory(t)
			f.Passphrase = c.ask
			_, err := sign(t.Context(), f, c.signing, membership.Vote{By: "bob"})
			require.ErrorContains(t, err, c.words)
			require.Equal(t, ExitBadInput, tell(f, err))
		})
	}
}

func TestAgentsThatAreNotThereAreExplained(t *testing.T) {
	dir, _, _ := keyFiles(t)
	f, _, _ := testFactory(t)
	s := Signing{Agent: true, Key: dir + "/id.pub"}
	t.Setenv("SSH_AUTH_SOCK", "")
	_, err := sign(t.Context(), f, s, membership.Vote{})
	require.ErrorContains(t, err, "SSH_AUTH_SOCK is not set")
	t.Setenv("SSH_AUTH_SOCK", dir+"/none")
	_, err = sign(t.Context(), f, s, membership.Vote{})
	require.ErrorContains(t, err, `: is no agent that answers: dial unix `)
	serveAgent(t)
	_, err = sign(t.Context(), f, s, membership.Vote{})
	require.ErrorContains(t, err, "(it has none)")
}

func TestWhoInterruptsThePassphraseHasNotVoted(t *testing.T) {
	dir, _, _ := keyFiles(t)
	f, _, errs := testFactory(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.Passphrase = func(ctx context.Context, _ string) ([]byte, error) {
		cancel()
		return nil, errors.Join(ctx.Err())
	}
	_, err := sign(ctx, f, Signing{Key: dir + "/id-locked"}, membership.Vote{By: "bob"})
	require.Equal(t, ExitInterrupted, tell(f, err))
	require.Equal(t, "stopped; nobody has voted\n", errs.String())
}
