// Package typed brings what people type into the one form in which the shop keeps it. Every field that somebody fills
// in goes through here, so that one rule holds for names, addresses, notes, stories, titles, e-mail addresses and codes:
//
//   - What shows nothing is not kept: marks that copying leaves behind (zero-width spaces, direction marks, byte order
//     marks) are left out, and blanks that pose as letters (U+3164, U+2800 …) count as spaces.
//   - What belongs to spelling is kept: the joiners of Persian, Sinhala, Hindi and emoji, the variation selectors of
//     Japanese names and of emoji.
//   - Spaces of any width become one plain space, and in a field of one line so do line breaks and tabs.
//   - Codes (postcodes, e-mail addresses, account numbers) are folded to plain letters and digits; names are not.
//   - Control characters are refused and named: nobody types them.
package typed
