package local

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"yundian/infra/local/template"
)

// generate makes a secret as Secrets Manager does from GenerateSecretString.
func generate(g template.Generate) (string, error) {
	alphabet := ""
	for _, set := range []struct {
		letters string
		without bool
	}{{"abcdefghijklmnopqrstuvwxyz", g.ExcludeLowercase}, {"ABCDEFGHIJKLMNOPQRSTUVWXYZ", g.ExcludeUppercase}, {"0123456789", g.ExcludeNumbers},
		{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", g.ExcludePunctuation}, {" ", !g.IncludeSpace}} {
		if !set.without {
			alphabet += set.letters
		}
	}
	alphabet = strings.Map(func(r rune) rune {
		if strings.ContainsRune(g.ExcludeCharacters, r) {
			return -1
		}
		return r
	}, alphabet)
	if alphabet == "" {
		return "", fmt.Errorf("no characters are left to generate from")
	}
	password := make([]byte, g.Length)
	for i := range password {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		password[i] = alphabet[n.Int64()]
	}
	if g.Key == "" {
		return string(password), nil
	}
	object := map[string]any{}
	if err := json.Unmarshal([]byte(g.Template), &object); err != nil {
		return "", err
	}
	object[g.Key] = string(password)
	text, err := json.Marshal(object)
	return string(text), err
}
