package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/fleetjoin/fleetjoin/cloud/ballot"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Signing says with which key a vote is signed.
type Signing struct {
	Key   string // path of a private key or, with Agent, of the public one; "": the vote is not signed
	Agent bool   // ssh-agent signs
}

func (s *Signing) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.Key, "key", "", "sign the vote with this private key `file` of OpenSSH; with --agent, the .pub of it")
	cmd.Flags().BoolVar(&s.Agent, "agent", false, "let ssh-agent sign (SSH_AUTH_SOCK)")
}

// sign signs a vote. The signature is "" when none was asked for.
func sign(ctx context.Context, f *Factory, s Signing, v membership.Vote) (armored string, err error) {
	switch {
	case s.Key == "" && s.Agent:
		return "", badValue("--agent", "", "does not say which key; name it: --key PATH.pub")
	case s.Key == "":
		return "", nil
	}
	data, err := os.ReadFile(s.Key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", badValue("--key", s.Key, "does not exist; name a key file of OpenSSH, such as ~/.ssh/id_ed25519")
	case err != nil:
		return "", badValue("--key", s.Key, "cannot be read: "+err.Error())
	}
	if s.Agent {
		armored, err = signByAgent(ctx, s.Key, data, v)
	} else {
		armored, err = signByFile(ctx, f, s.Key, data, v)
	}
	if ctx.Err() != nil {
		return "", &exitError{ExitInterrupted, "stopped; nobody has voted"}
	}
	return armored, err
}

func signByFile(ctx context.Context, f *Factory, path string, data []byte, v membership.Vote) (string, error) {
	key, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		key, err = unlock(ctx, f, path, data)
	}
	var said *membership.BadInput
	switch {
	case err == nil:
		return ballot.Sign(v, key)
	case errors.As(err, &said):
		return "", err
	case isPublic(data):
		return "", badValue("--key", path, "is a public key; name the private one, or let ssh-agent sign: --agent")
	}
	return "", badValue("--key", path, "is not a private key that can be used ("+err.Error()+"); want one of ssh-keygen, "+
		"or let ssh-agent sign: --agent --key PATH.pub")
}

func isPublic(data []byte) bool {
	_, _, _, _, err := ssh.ParseAuthorizedKey(data)
	return err == nil
}

// unlock opens a key that has a passphrase.
func unlock(ctx context.Context, f *Factory, path string, data []byte) (ssh.Signer, error) {
	if f.Passphrase == nil {
		return nil, badValue("--key", path, "has a passphrase, and there is no terminal to ask for it; "+
			"give the key to ssh-agent (ssh-add), and name its public half: --agent --key PATH.pub")
	}
	passphrase, err := f.Passphrase(ctx, "passphrase of "+path+": ")
	if err != nil {
		return nil, badValue("--key", path, "has a passphrase, which could not be asked for: "+err.Error())
	}
	key, err := ssh.ParsePrivateKeyWithPassphrase(data, passphrase)
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, badValue("--key", path, "does not open: the passphrase is wrong")
	}
	return key, err
}

func signByAgent(ctx context.Context, path string, data []byte, v membership.Vote) (string, error) {
	public, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return "", badValue("--key", path, "is not a public key; with --agent, name the .pub file")
	}
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return "", badValue("--agent", "", "finds no agent: SSH_AUTH_SOCK is not set; start one, or name the private key without --agent")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return "", badValue("--agent", socket, "is no agent that answers: "+err.Error())
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // an agent may wait for a touch that never comes
	keys, err := agent.NewClient(conn).Signers()
	if err != nil {
		return "", badValue("--agent", socket, "does not list its keys: "+err.Error())
	}
	has := make([]string, 0, len(keys))
	for _, key := range keys {
		if bytes.Equal(key.PublicKey().Marshal(), public.Marshal()) {
			return ballot.Sign(v, key)
		}
		has = append(has, ssh.FingerprintSHA256(key.PublicKey()))
	}
	if len(has) == 0 {
		has = []string{"none"}
	}
	return "", badValue("--agent", socket, fmt.Sprintf("does not have the key %s of %s; add it with ssh-add (it has %s)",
		ssh.FingerprintSHA256(public), path, strings.Join(has, ", ")))
}
