package demo

// KOCs are three customers whom others ask what to drink.
var KOCs = []KOC{
	{
		Handle: "mei", Name: "陈小梅", Email: "mei@example.com",
		Story: `我是小梅，在杭州教幼儿园，也是两个孩子的妈妈。

喝茶是跟外婆学的。她住在梅家坞后面，春天我去帮忙采茶，一上午采不满一小篓，她在灶前炒，我在旁边打瞌睡。现在外婆走了，我还是每年四月回去看看那片坡。

家里的桌子白天是孩子写作业的，九点以后才是我的。铺一块布，泡一杯茶，什么也不想，就十五分钟。

这里放的都是我自己喝完了又买的。有孩子的人家、怕苦的人、想给爸妈寄点东西的人，可以先看看我写的小纸条。好喝，告诉我；不好喝，也告诉我。`,
		Shelf: []Note{
			{"longjing", "每年只等它十几天。别用滚水，水烧开晾三分钟再冲，豆香就出来了。50 克一个人能喝一个月。"},
			{"anji-baicha", "我先生以前只喝可乐，是被这个收服的。几乎不苦，孩子偷喝过一口，说像玉米水。"},
			{"guihua-oolong", "放在学校办公室，一周就见底了，同事都来蹭。茶冷了还是香的。"},
			{"moli-huacha", "寄给我妈的。她说跟她年轻时单位发的一个味道，第二天就让我再买一罐。"},
			{"baici-gaiwan", "第一只盖碗买这个就好：口沿外翻，不烫手。我摔过一个盖，客服单独补了给我。"},
			{"zhuma-chaxi", "藏青那块。铺上它，孩子就知道妈妈要安静一会儿了。"},
			{"lengpao-chabao", "夏天给孩子爸带去上班。前一天晚上丢一包进水瓶，早上拿走，别的不用管。"},
		},
		Links: []Link{
			{Name: "mei/朋友圈", Channel: "wechat", Touches: 18},
			{Name: "mei/龙井", Product: "longjing", Channel: "wechat", Touches: 12},
			{Name: "mei/妈妈群", Product: "moli-huacha", Channel: "wechat-group", Touches: 9},
		},
	},
	{
		Handle: "laozhou", Name: "老周", Email: "laozhou@example.com",
		Story: `厦门人，教了三十五年高中物理，退休六年了。

闽南人家里没有茶盘是不像话的。我从前只喝铁观音，后来跟学生去了一趟武夷山，在天心村住了半个月，才知道火功是怎么回事。焙茶和做实验一样：温度、时间、含水率，差一点，味道就差很多。

我喜欢把数字写清楚。所以我的纸条里有水温、克数、出汤秒数，照着做，不会难喝；做熟了，再按自己的嘴改。

茶不分贵贱，分对不对你的时候。有问题就问，我回得慢，但一定回。`,
		Shelf: []Note{
			{"yancha-rougui", "8 克，110 毫升盖碗，100 ℃。头三道 5 秒出汤，第四道起每道加 5 秒，第七道还有桂皮味，说明火功够。"},
			{"zhengshan-xiaozhong", "松烟那一款按老法子。5 克配 120 毫升，95 ℃，10 秒。加奶的人请把茶量加倍。"},
			{"laobaicha-bing", "先买 50 克试。5 克，500 毫升冷水下茶，水开后再煮 180 秒，关火焖 5 分钟，枣香最足。"},
			{"shupu-bing", "7 克，沸水，洗一道。前六道 5 秒。存的时候别密封，但要离厨房远一点。"},
			{"cepa-hu", "壁厚，降温比白瓷慢，我量过：五分钟差 6 ℃。煮老茶合适，泡绿茶不合适。"},
			{"boli-gongdaobei", "250 毫升刚好接两道，刻在心里就不会泡浓。嘴子断水很好，不滴。"},
			{"zhu-chapan", "小号够三个人用。记得每天把接水的抽屉倒掉，侧立晾干，竹子就不长霉。"},
		},
		Links: []Link{
			{Name: "laozhou/茶友群", Channel: "wechat-group", Touches: 14},
			{Name: "laozhou/肉桂", Product: "yancha-rougui", Channel: "wechat", Touches: 10},
			{Name: "laozhou/海报", Channel: "qr", Touches: 7},
		},
	},
	{
		Handle: "linxia", Name: "林夏", Email: "linxia@example.com",
		Story: `在成都做平面设计，周末不在家，在山里。

我以前一天三杯冰美式，喝到心慌。有一次在四姑娘山脚下露营，隔壁帐篷的姐姐分我一瓶冷泡桂花乌龙，那天傍晚的山是粉色的，我就记住了这个味道。

现在背包里总有一套小茶具。风大的时候煮不开水，就冷泡；找到一块平的石头，就正经泡一壶。喝完把叶子埋在树下。

我不懂什么山场工艺，只知道哪个好带、哪个拍出来好看、哪个喝了不后悔。跟我一样刚开始喝茶的人，一起呀。`,
		Shelf: []Note{
			{"lengpao-chabao", "露营必带！500 毫升水一包，溪水里冰两个小时比冰箱还好喝。三种口味我最爱桂花。"},
			{"lvxing-chaju", "背了八次山，磕掉一点点边。帆布包洗过两回，越旧越好看。"},
			{"guihua-oolong", "打开罐子那一下，整个帐篷都是香的。冷泡四小时，热泡也行，怎么都不会翻车。"},
			{"pinming-bei", "四个颜色四个人，谁也不会拿错。铁锈红拍照绝了，可惜老断货。"},
			{"zhengshan-xiaozhong", "花果香那款。早上起来露水重，一口下去从喉咙暖到脚。"},
			{"baici-gaiwan", "天青色这只放在办公桌上，同事以为我去进修了。其实只是会倒水。"},
		},
		Links: []Link{
			{Name: "linxia/小红书", Product: "lengpao-chabao", Channel: "xiaohongshu", Touches: 26},
			{Name: "linxia/主页", Channel: "xiaohongshu", Touches: 15},
			{Name: "linxia/旅行茶具", Product: "lvxing-chaju", Channel: "wechat", Touches: 8},
		},
	},
}

// Withdrawals are what the KOCs have withdrawn, in this order: the one is paid, the other one waits for the operator.
var Withdrawals = []Withdrawal{{KOC: "mei", Minor: 8000, Paid: true}, {KOC: "mei", Minor: 2000}}

// Applicants wait for the operator.
var Applicants = []Applicant{
	{Handle: "yinuo", Name: "王一诺", Email: "yinuo@example.com",
		Story: "苏州人，开一间很小的花店，店里总有客人等花时喝一杯茶。喝的就是你们家的茉莉，很多人问在哪里买。"},
	{Handle: "ahui", Name: "阿辉", Email: "ahui@example.com",
		Story: "广州，骑行俱乐部领队。每周带二十几个人出去，休息点想给大家准备冷泡茶。"},
}
