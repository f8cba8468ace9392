package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// Longest file of a secret: security tokens have a few kilobytes, and a wrong path may be a disk image.
const maxSecret = 64 << 10

const hidden = "account.Credentials{…}"

// Credentials are the resolved secrets of an account. However they are printed or marshalled, they stay hidden; only
// who takes a field gets it. Do not keep them: in an unexported field of another struct, fmt cannot hide them.
type Credentials struct {
	AccessKey     string
	SecretKey     string
	SecurityToken string // "" for permanent keys
}

// String hides the secrets.
func (Credentials) String() string { return hidden }

// GoString hides the secrets from %#v.
func (Credentials) GoString() string { return hidden }

// Format hides the secrets from every verb.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalJSON hides the secrets.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// Hide replaces the secrets wherever they stand in text, the access key too: clouds like to repeat it in their errors.
func (c Credentials) Hide(text string) string {
	for _, secret := range []string{c.SecurityToken, c.SecretKey, c.AccessKey} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}

// Secrets reads the credentials anew from where they are, so that a rotated secret is used from the next call on. The
// error names every part that could not be read, and never its content.
func (a Account) Secrets(ctx context.Context) (Credentials, error) {
	if err := ctx.Err(); err != nil {
		return Credentials{}, err
	}
	var c Credentials
	var problems []error
	for _, part := range a.Credentials.parts() {
		if part.Source == (Source{}) && part.optional {
			continue
		}
		secret, err := part.read()
		if err != nil {
			problems = append(problems, fmt.Errorf("account %q: the %s cannot be read: %w", a.Name, part.name, err))
			continue
		}
		*part.into(&c) = secret
	}
	if len(problems) > 0 {
		return Credentials{}, errors.Join(problems...)
	}
	return c, nil
}

// part is one field of the credentials: its name in the file, its source and its place in the result.
type part struct {
	Source
	name     string
	optional bool
	into     func(*Credentials) *string
}

func (s Sources) parts() []part {
	return []part{
		{s.AccessKey, "accessKey", false, func(c *Credentials) *string { return &c.AccessKey }},
		{s.SecretKey, "secretKey", false, func(c *Credentials) *string { return &c.SecretKey }},
		{s.SecurityToken, "securityToken", true, func(c *Credentials) *string { return &c.SecurityToken }},
	}
}

func (s Source) read() (string, error) { return s.readIn(os.Open) }

// readIn reads the secret; open opens its file, if it is in one.
func (s Source) readIn(open func(name string) (*os.File, error)) (string, error) {
	var secret, from string
	switch {
	case s.Env != "":
		secret, from = os.Getenv(s.Env), fmt.Sprintf("environment variable %q", s.Env)
		if secret == "" {
			return "", fmt.Errorf("%s is not set or empty", from)
		}
	case s.File != "":
		f, err := open(s.File)
		if err != nil {
			return "", err
		}
		data, err := readSecret(f)
		if err != nil {
			return "", err
		}
		secret, from = string(bytes.TrimRight(data, "\r\n")), fmt.Sprintf("file %q", s.File)
		if secret == "" {
			return "", fmt.Errorf("%s is empty", from)
		}
	default:
		return "", errors.New("no source; give the name of an environment variable or the path of a file")
	}
	// It goes into an HTTP header, where a line break or a space would break the request in puzzling ways.
	if strings.ContainsFunc(secret, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", fmt.Errorf("%s holds spaces or line breaks inside the secret; it must hold the secret alone", from)
	}
	return secret, nil
}

// readSecret reads a file, not much more than a secret can have, and closes it.
func readSecret(f *os.File) ([]byte, error) {
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSecret {
		return nil, fmt.Errorf("file %q has more than %d bytes, which is no secret", f.Name(), maxSecret)
	}
	return data, nil
}
