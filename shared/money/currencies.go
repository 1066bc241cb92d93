package money

// currencies are the ISO 4217 codes in use today, in order, each followed by its number of minor digits. Source: CLDR,
// as github.com/bojanz/currency has it; a test compares the two. The library itself is left to tests: only linking it
// costs every function a quarter of its start-up, for tables of big decimals. A text needs no building at all.
const currencies = "" +
	"AED2AFN2ALL2AMD2ANG2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BGN2BHD3BIF0BMD2BND2BOB2BOV2BRL2BSD2BTN2BWP2BYN2" +
	"BZD2CAD2CDF2CHE2CHF2CHW2CLF4CLP0CNY2COP2COU2CRC2CUP2CVE2CZK2DJF0DKK2DOP2DZD2EGP2ERN2ETB2EUR2FJD2FKP2" +
	"GBP2GEL2GHS2GIP2GMD2GNF0GTQ2GYD2HKD2HNL2HTG2HUF2IDR2ILS2INR2IQD3IRR2ISK0JMD2JOD3JPY0KES2KGS2KHR2KMF0" +
	"KPW2KRW0KWD3KYD2KZT2LAK2LBP2LKR2LRD2LSL2LYD3MAD2MDL2MGA2MKD2MMK2MNT2MOP2MRU2MUR2MVR2MWK2MXN2MXV2MYR2" +
	"MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2PEN2PGK2PHP2PKR2PLN2PYG0QAR2RON2RSD2RUB2RWF0SAR2SBD2SCR2SDG2SEK2" +
	"SGD2SHP2SLE2SOS2SRD2SSP2STN2SVC2SYP2SZL2THB2TJS2TMT2TND3TOP2TRY2TTD2TWD2TZS2UAH2UGX0USD2USN2UYI0UYU2" +
	"UYW4UZS2VED2VES2VND0VUV0WST2XAF0XCD2XOF0XPF0YER2ZAR2ZMW2ZWG2"

// cell is one code with its digits.
const cell = 4

// lookUp finds the digits of a code among the cells by halving.
func lookUp(code string) (digits int, ok bool) {
	if len(code) != cell-1 {
		return 0, false
	}
	low, high := 0, len(currencies)/cell
	for low < high {
		middle := (low + high) / 2
		switch at := currencies[middle*cell : middle*cell+cell]; {
		case at[:cell-1] == code:
			return int(at[cell-1] - '0'), true
		case at[:cell-1] < code:
			low = middle + 1
		default:
			high = middle
		}
	}
	return 0, false
}
