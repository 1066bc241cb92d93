package main

import (
	"net/http"
	"strings"

	"yundian/shared/web"
)

// machines are parts of user agents, in lower case, of programs that fetch pages and may run their scripts although
// nobody looks: link previews, search engines, and apps' own fetchers. Generic words first. Sources: the operators'
// own pages, such as https://developers.facebook.com/docs/sharing/webmasters/web-crawlers and
// https://developers.google.com/search/docs/crawling-indexing/google-common-crawlers.
var machines = []string{
	"bot", "crawl", "spider", "preview", "scrap", "slurp", "prerender", "lighthouse", "pagespeed",
	"externalhit", "externalagent", "facebookcatalog", "facebookplatform",
	"whatsapp", "slack-", "line-poker", "skypeuri", "embedly", "iframely", "vkshare", "wechatshareextension",
	"google", "yandex.com/", "duckassist",
	"cfnetwork/", "okhttp/", "dalvik/", // apps' own fetchers on iOS and Android, never a page's script
	"headless", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver", "cypress", "electron/", "jsdom", "happydom", "htmlunit", "wkhtml", "splash",
	"curl/", "wget/", "python", "java/", "httpclient", "go-http", "node-fetch", "axios", "libwww", "ruby", "php", "postman", "insomnia", "httpie",
}

// maxAgent bounds a user agent in bytes; no browser's is longer.
const maxAgent = 1024

// fromBrowser reports whether the request looks like a page that a person looks at. It cannot stop a liar; what it
// keeps out are honest machines.
func fromBrowser(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	if web.Ahead(r) || len(agent) > maxAgent {
		return false
	}
	// Every browser calls itself Mozilla/5.0, apart from Opera Mini; curl and HTTP libraries have names of their own.
	if !strings.HasPrefix(agent, "mozilla/5.0 (") && !strings.Contains(agent, "opera mini/") {
		return false
	}
	// WeChat fetching a card by itself; the browser inside WeChat is MicroMessenger and tells its kind of network.
	if strings.HasPrefix(agent, "wechat/") || strings.Contains(agent, "micromessenger") && !strings.Contains(agent, "nettype/") {
		return false
	}
	agent = strings.ReplaceAll(agent, "cubot", "") // a maker of phones
	for _, machine := range machines {
		if strings.Contains(agent, machine) {
			return false
		}
	}
	return true
}
