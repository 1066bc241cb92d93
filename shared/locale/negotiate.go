package locale

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// Limits of what is read of a caller's wishes: browsers send about five tags. The rest of a longer header is left out.
const (
	maxTags = 32
	maxTag  = 64 // bytes
)

// Languages are those that the caller wants and Yundian speaks, the most wanted first: what was asked for, then those of
// Accept-Language by weight. What cannot be read, or is not spoken here, is left out and spoils nothing else.
func (w Wish) Languages() []Language {
	type wanted struct {
		language Language
		weight   float64
	}
	var all []wanted
	if l, ok := Parse(w.Asked); ok {
		all = append(all, wanted{l, 2}) // above every weight of a header
	}
	for i, part := range strings.SplitN(w.Accept, ",", maxTags+1) {
		tag, parameters, _ := strings.Cut(part, ";")
		l, ok := Parse(strings.TrimSpace(tag))
		if weight := weightOf(parameters); ok && weight > 0 && i < maxTags {
			all = append(all, wanted{l, weight})
		}
	}
	slices.SortStableFunc(all, func(a, b wanted) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	var out []Language
	for _, x := range all {
		if !slices.Contains(out, x.language) {
			out = append(out, x.language)
		}
	}
	return out
}

// weightOf is the q value of a language: 1 without one, 0 when it cannot be read.
func weightOf(parameters string) float64 {
	name, value, _ := strings.Cut(parameters, "=")
	switch name = strings.TrimSpace(name); {
	case name == "":
		return 1
	case !strings.EqualFold(name, "q"):
		return 0
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// Parse finds the language that a tag such as "zh-TW" asks for; false when Yundian does not speak it.
func Parse(text string) (Language, bool) {
	if text == "" || len(text) > maxTag {
		return "", false
	}
	tag, err := language.Parse(text)
	if err != nil {
		return "", false
	}
	base, script, region := tag.Raw()
	if chinese[base.String()] {
		return written(tag, script.String(), region.String())
	}
	// Low is what the matcher gives to a neighbouring language; the shop's own default is a better guess.
	if _, index, confidence := matcher().Match(tag); confidence > language.Low {
		return Languages[index], true
	}
	return "", false
}

// chinese are the languages that are written in Chinese characters. Whoever speaks Cantonese or Hakka reads what is written
// in Chinese, in the characters of where they live. The matcher knows that of Mandarin alone.
// Source: https://iso639-3.sil.org/code/zho, the members of the macrolanguage.
var chinese = map[string]bool{"zh": true, "cmn": true, "yue": true, "nan": true, "hak": true, "wuu": true, "gan": true, "hsn": true, "lzh": true,
	"cdo": true, "cjy": true, "cpx": true, "czh": true, "czo": true, "mnp": true}

// written is Chinese in the characters that a tag asks for: by its script, else by its region, else as CLDR takes the
// language to be written. Pinyin and other scripts are not spoken here.
func written(tag language.Tag, script, region string) (Language, bool) {
	switch script {
	case "Hans":
		return Hans, true
	case "Hant", "Bopo": // Bopomofo is used where characters are traditional
		return Hant, true
	case "Hani", "Zzzz":
	default:
		return "", false
	}
	switch region {
	case "TW", "HK", "MO":
		return Hant, true
	case "CN", "SG", "MY": // CLDR takes Malaysia's to be traditional; its schools and papers write simplified
		return Hans, true
	}
	if inferred, _ := tag.Script(); inferred.String() == "Hant" {
		return Hant, true
	}
	return Hans, true
}

// matcher is built on first use, because building it would slow the start of functions that never speak.
var matcher = sync.OnceValue(func() language.Matcher {
	tags := make([]language.Tag, len(Languages))
	for i, l := range Languages {
		tags[i] = language.MustParse(string(l))
	}
	return language.NewMatcher(tags)
})
