"""Emoji by the names that GitHub and Slack give them, as far as models write these (pure)."""

from workers.telegram.markdown.names import table

EMOJI = table(
    "white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ "
    "warning ⚠️ no_entry ⛔ no_entry_sign 🚫 rocket 🚀 fire 🔥 star ⭐ star2 🌟 sparkles ✨ tada 🎉 boom 💥 zap ⚡ "
    "bulb 💡 memo 📝 pencil 📝 book 📖 books 📚 bookmark 🔖 pushpin 📌 paperclip 📎 link 🔗 lock 🔒 unlock 🔓 key 🔑 "
    "wrench 🔧 hammer 🔨 gear ⚙️ tools 🛠️ package 📦 bug 🐛 mag 🔍 loudspeaker 📢 speech_balloon 💬 "
    "thought_balloon 💭 computer 💻 iphone 📱 email 📧 envelope ✉️ calendar 📅 date 📅 clock 🕐 hourglass ⌛ "
    "alarm_clock ⏰ chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 moneybag 💰 dollar 💵 "
    "credit_card 💳 trophy 🏆 dart 🎯 gift 🎁 art 🎨 camera 📷 musical_note 🎵 notes 🎶 movie_camera 🎥 coffee ☕ "
    "pizza 🍕 beer 🍺 cake 🍰 thumbsup 👍 +1 👍 thumbsdown 👎 -1 👎 clap 👏 wave 👋 pray 🙏 muscle 💪 ok_hand 👌 "
    "raised_hands 🙌 point_right 👉 point_left 👈 point_up ☝️ point_down 👇 eyes 👀 smile 😄 smiley 😃 grin 😁 "
    "grinning 😀 laughing 😆 joy 😂 rofl 🤣 wink 😉 blush 😊 slightly_smiling_face 🙂 heart_eyes 😍 thinking 🤔 "
    "thinking_face 🤔 sweat_smile 😅 sunglasses 😎 sob 😭 cry 😢 disappointed 😞 confused 😕 angry 😠 scream 😱 "
    "sleeping 😴 hugs 🤗 partying_face 🥳 heart ❤️ broken_heart 💔 blue_heart 💙 green_heart 💚 yellow_heart 💛 "
    "purple_heart 💜 100 💯 question ❓ exclamation ❗ bangbang ‼️ information_source ℹ️ heavy_plus_sign ➕ "
    "heavy_minus_sign ➖ arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ recycle ♻️ sunny ☀️ cloud ☁️ "
    "umbrella ☔ snowflake ❄️ rainbow 🌈 earth_africa 🌍 earth_americas 🌎 globe_with_meridians 🌐 house 🏠 "
    "airplane ✈️ car 🚗 train 🚆 dog 🐶 cat 🐱 seedling 🌱 deciduous_tree 🌳 rose 🌹 apple 🍎 red_circle 🔴 "
    "green_circle 🟢 yellow_circle 🟡 large_blue_circle 🔵 orange_circle 🟠 white_circle ⚪ black_circle ⚫ "
    "checkered_flag 🏁 triangular_flag_on_post 🚩 construction 🚧 rotating_light 🚨 robot 🤖 skull 💀 crown 👑 "
    "gem 💎 medal_sports 🏅 first_place_medal 🥇"
)
