package ballot_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/fleetjoin/fleetjoin/cloud/ballot"
)

// openssh runs ssh-keygen, which must be there: what is not compared with the original is not known to work.
func openssh(t *testing.T, stdin []byte, args ...string) (out string, err error) {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	require.NoError(t, err, "the tests need OpenSSH 8.9 or later: apt-get install openssh-client")
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var said bytes.Buffer
	cmd.Stderr = &said
	data, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said.String())
	}
	return string(data), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// generate makes a key with ssh-keygen.
func generate(t *testing.T, args ...string) (path string, key ssh.Signer) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "id")
	_, err := openssh(t, nil, append(args, "-q", "-N", "", "-C", "bob", "-f", path)...)
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	key, err = ssh.ParsePrivateKey(data)
	require.NoError(t, err)
	return path, key
}

// verify asks ssh-keygen whether a signature of bob's vote counts.
func verify(t *testing.T, allowed, by, armored string, options ...string) error {
	t.Helper()
	args := []string{"-Y", "verify", "-n", ballot.Namespace, "-I", by, "-f", write(t, "allowed", allowed), "-s", write(t, "sig", armored)}
	v := bobs()
	v.By = by
	_, err := openssh(t, ballot.Text(v), append(args, options...)...)
	return err
}

func TestBothWaysWithOpenSSH(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			path, key := generate(t, append([]string{"-t"}, strings.Fields(kind)...)...)
			allowed := lineFor("bob", key.PublicKey())
			require.NoError(t, verify(t, allowed, "bob", sign(t, bobs(), key)))
			for _, hash := range []string{"sha256", "sha512"} {
				theirs, err := openssh(t, ballot.Text(bobs()), "-Y", "sign", "-n", ballot.Namespace, "-O", "hashalg="+hash, "-f", path)
				require.NoError(t, err)
				require.NoError(t, allowing(t, allowed).Check(bobs(), theirs, noon()))
			}
		})
	}
	t.Run("a security key", func(t *testing.T) { // it takes the hardware to sign with OpenSSH, and none to verify
		t.Parallel()
		key := newSecurityKey(t)
		require.NoError(t, verify(t, lineFor("bob", key.PublicKey()), "bob", sign(t, bobs(), key)))
	})
}

// The recipe of the package comment, word for word but for the path of the key.
func TestTheRecipe(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("ballot.go")
	require.NoError(t, err)
	_, recipe, found := strings.Cut(string(source), "//	printf")
	require.True(t, found)
	recipe, _, found = strings.Cut("printf"+recipe, "~/.ssh/id_ed25519")
	require.True(t, found)
	path, key := generate(t, "-t", "ed25519")
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(recipe, "//", "")+path)
	cmd.Env = append(os.Environ(), "D="+digest)
	armored, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, allowing(t, lineFor("bob", key.PublicKey())).Check(bobs(), string(armored), noon()))
}

// An allowed signers file means here what it means to OpenSSH, line by line and moment by moment.
func TestAllowedSignersMeanTheSame(t *testing.T) {
	t.Parallel()
	_, key := generate(t, "-t", "ed25519")
	local := func(d time.Duration) string { return noon().Add(d).Local().Format("20060102150405") }
	counted, refused := 0, 0
	for _, c := range []struct{ who, by string }{
		{"bob", "bob"}, {"bob", "Bob"}, {"bob", "bobby"}, {"b?b", "bob"}, {"b?b", "bb"}, {"*", "bob"}, {"b*b*", "bob"}, {"*x*", "bob"},
		{"ann,bob", "bob"}, {"ann,bob", "cid"}, {"*,!bob", "bob"}, {"!bob,*", "bob"}, {"*,!bob", "ann"}, {"!bob", "ann"},
		{`"bob smith"`, "bob smith"}, {`"bob smith"`, "bob"}, {"*@example.com", "bob@example.com"}, {"*@example.com", "bob@example.org"},
		{`bob namespaces="fleetjoin-vote@v1"`, "bob"}, {`bob namespaces="git,fleetjoin-*"`, "bob"}, {`bob namespaces="git"`, "bob"},
		{`bob NAMESPACES="*,!fleetjoin-vote@v1"`, "bob"},
		{`bob valid-after="` + local(0) + `"`, "bob"}, {`bob valid-after="` + local(time.Second) + `"`, "bob"},
		{`bob valid-before="` + local(0) + `"`, "bob"}, {`bob valid-before="` + local(-time.Second) + `"`, "bob"},
		{`bob valid-before="` + local(0)[:12] + `",namespaces="*",valid-after="20261119"`, "bob"}, {`bob valid-after="20261123"`, "bob"},
		{`bob valid-after="20261119"`, "bob"}, {`bob valid-before="20261119"`, "bob"},
		{"# bob", "bob"}, {"  bob", "bob"},
	} {
		v := bobs()
		v.By = c.by
		armored, allowed := sign(t, v, key), lineFor("nobody", newKey(t).PublicKey())+lineFor(c.who, key.PublicKey())
		theirs := verify(t, allowed, c.by, armored, "-O", "verify-time="+local(0))
		ours := allowing(t, allowed).Check(v, armored, noon())
		require.Equal(t, theirs == nil, ours == nil, "%s for %s: OpenSSH says %v, we say %v", c.who, c.by, theirs, ours)
		if ours == nil {
			counted++
		} else {
			refused++
		}
	}
	require.Greater(t, counted, 10)
	require.Greater(t, refused, 10)
}
