package local

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"yundian/infra/local/template"
)

// tries bounds how often a password is drawn until it holds every kind of character; even with a length equal to the
// number of kinds, one in some twenty does.
const tries = 10_000

// generate makes a secret as Secrets Manager does from GenerateSecretString.
func generate(g template.Generate) (string, error) {
	kinds, err := characters(g)
	if err != nil {
		return "", err
	}
	if g.RequireEach && g.Length < len(kinds) {
		return "", fmt.Errorf("%d characters cannot hold one of each of %d kinds", g.Length, len(kinds))
	}
	password, err := draw(strings.Join(kinds, ""), g.Length)
	for try := 0; err == nil && g.RequireEach && !holdsEach(password, kinds); try++ {
		if try == tries {
			return "", fmt.Errorf("no password of %d characters with one of each kind in %d tries", g.Length, tries)
		}
		password, err = draw(strings.Join(kinds, ""), g.Length)
	}
	if err != nil || g.Key == "" {
		return password, err
	}
	object := map[string]any{}
	if err := json.Unmarshal([]byte(g.Template), &object); err != nil {
		return "", fmt.Errorf("read SecretStringTemplate: %w", err)
	}
	object[g.Key] = password
	text, err := json.Marshal(object)
	return string(text), err
}

// characters are the kinds of characters that a password may hold, each with at least one.
func characters(g template.Generate) ([]string, error) {
	var kinds []string
	for _, kind := range []struct {
		letters string
		without bool
	}{
		{"abcdefghijklmnopqrstuvwxyz", g.ExcludeLowercase},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", g.ExcludeUppercase},
		{"0123456789", g.ExcludeNumbers},
		{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", g.ExcludePunctuation},
		{" ", !g.IncludeSpace},
	} {
		letters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(g.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, kind.letters)
		if !kind.without && letters != "" {
			kinds = append(kinds, letters)
		}
	}
	if len(kinds) == 0 {
		return nil, errors.New("no characters are left to generate from")
	}
	return kinds, nil
}

func draw(alphabet string, length int) (string, error) {
	password := make([]byte, length)
	for i := range password {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("draw a random number: %w", err)
		}
		password[i] = alphabet[n.Int64()]
	}
	return string(password), nil
}

func holdsEach(password string, kinds []string) bool {
	for _, letters := range kinds {
		if !strings.ContainsAny(password, letters) {
			return false
		}
	}
	return true
}
