package locale

// File is a message file as it is, such as File("portal-page", Hans), for pages that speak in the browser; nil if
// there is none.
func File(name string, l Language) []byte {
	text, err := files.ReadFile("messages/" + name + "." + string(l) + ".json")
	if err != nil {
		return nil
	}
	return text
}
