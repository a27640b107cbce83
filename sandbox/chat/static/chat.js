// What Teams does with the bot's messages: threads, edits in place, and for each reader a view of their own.
"use strict";
(async () => {
  const $ = (id) => document.getElementById(id);
  const { people, team, channel } = await (await fetch("api/who")).json();
  const state = { person: people[0], personal: false, thread: "", next: 0 };
  const messages = new Map(); // activity id → the newest version of each message
  const views = new Map(); // activity id + person → the card that this person alone sees, of one version

  const post = async (path, body) => {
    const answer = await fetch(path, { method: "POST", body: JSON.stringify({ ...body, person: state.person.id }) });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  };
  const toast = (text) => {
    $("toast").textContent = text;
    $("toast").hidden = false;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => { $("toast").hidden = true; }, 9000);
  };
  const own = (message) => `${message.activity_id} ${state.person.id}`;

  async function press(message, action, data, trigger = "manual") {
    const seen = message.seq;
    const { status, body } = await post("api/press", {
      conversation: message.conversation, activity: message.activity_id, verb: action.verb, data, trigger,
    });
    if (status !== 200 || !body) { toast(`El bot contestó ${status}.`); return; }
    if (typeof body.value === "string") { if (trigger === "manual") toast(body.value); return; }
    if (!body.value) return;
    const now = messages.get(message.activity_id);
    if (trigger === "manual" || (now && now.seq === seen)) views.set(own(message), { card: body.value, seq: now.seq, at: ++press.count });
    show();
  }

  press.count = 0;

  // A card names whom it has a view of their own for; their client asks for it by itself, once for each version.
  function wantOwn(message) {
    const refresh = message.card && message.card.refresh;
    if (!refresh || !(refresh.userIds || []).includes(state.person.teamsId)) return;
    const asked = `${own(message)} ${message.seq}`;
    if (wantOwn.asked.has(asked)) return;
    wantOwn.asked.add(asked);
    press(message, refresh.action, refresh.action.data || {}, "automatic");
  }
  wantOwn.asked = new Set();

  // What has not changed for this reader stays as it is: a form that somebody opened is not shut by other news.
  const drawn = new Map();
  function element(message) {
    const mine = views.get(own(message));
    const version = `${message.seq} ${mine && mine.seq === message.seq ? mine.at : ""}`;
    const known = drawn.get(own(message));
    if (known && known.version === version) return known.box;
    const box = fresh(message);
    drawn.set(own(message), { version, box });
    return box;
  }

  function fresh(message) {
    const box = document.createElement("div");
    box.className = "message";
    box.dataset.activity = message.activity_id;
    const who = document.createElement("div");
    who.className = "who";
    who.textContent = message.kind === "person" ? message.sender : "Lucy";
    const time = document.createElement("time");
    time.textContent = new Date(message.at).toLocaleTimeString("es-AR", { hour: "2-digit", minute: "2-digit" });
    who.append(time);
    box.append(who);
    if (message.text) {
      const text = document.createElement("div");
      text.className = "text";
      text.textContent = message.text.replace(/<at>.*?<\/at>\s*/g, "@Lucy ");
      box.append(text);
    }
    if (message.card) {
      const mine = views.get(own(message));
      const current = mine && mine.seq === message.seq ? mine.card : message.card;
      if (current !== message.card) {
        const note = document.createElement("span");
        note.className = "own";
        note.textContent = `lo ve así sólo ${state.person.name}`;
        who.append(note);
      }
      box.append(window.drawCard(current, (action, data) => press(message, action, data)));
      wantOwn(message);
    }
    return box;
  }

  const here = (message) => (state.personal
    ? message.conversation === state.person.chat
    : !message.conversation.startsWith("a:"));
  const threadOf = (message) => (state.personal
    ? "chat" : message.conversation.split(";messageid=")[1] || message.activity_id);

  function show() {
    const typing = document.activeElement;
    if (typing && typing.matches(".card input, .card textarea, .card select")) { show.later = true; return; } // what somebody is filling in is not drawn anew under their hands
    show.later = false;
    const threads = new Map();
    for (const message of [...messages.values()].sort((a, b) => a.first - b.first)) {
      if (!here(message)) continue;
      const thread = threadOf(message);
      if (!threads.has(thread)) threads.set(thread, []);
      threads.get(thread).push(message);
    }
    const main = $("messages");
    const low = main.scrollHeight - main.scrollTop - main.clientHeight < 80;
    main.replaceChildren(...[...threads].map(([thread, list]) => {
      const box = document.createElement("section");
      box.className = "thread";
      box.append(...list.map(element));
      if (!state.personal) {
        const answer = document.createElement("button");
        answer.className = "answer";
        answer.textContent = "Responder en este hilo";
        answer.onclick = () => { state.thread = thread; head(); $("text").focus(); };
        box.append(answer);
      }
      return box;
    }));
    if (low) main.scrollTop = main.scrollHeight;
  }
  document.addEventListener("focusout", () => setTimeout(() => { if (show.later) show(); }, 0));

  function head() {
    $("people").replaceChildren(...people.map((one) => {
      const button = document.createElement("button");
      button.textContent = one.name;
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(one === state.person));
      button.onclick = () => { state.person = one; state.thread = ""; head(); show(); };
      return button;
    }));
    $("places").replaceChildren(...[[`${team} · ${channel}`, false], ["Chat personal con Lucy", true]].map(([name, personal]) => {
      const button = document.createElement("button");
      button.textContent = name;
      button.setAttribute("role", "tab");
      button.setAttribute("aria-selected", String(personal === state.personal));
      button.onclick = () => { state.personal = personal; state.thread = ""; head(); show(); };
      return button;
    }));
    const where = state.personal ? "a Lucy, en privado" : state.thread ? "en el hilo, mencionando a Lucy" : "en el canal, mencionando a Lucy";
    $("to").textContent = `${state.person.name} escribe ${where}`;
  }

  $("compose").onsubmit = async (event) => {
    event.preventDefault();
    const text = $("text").value.trim();
    if (!text) return;
    $("text").value = "";
    const { status } = await post("api/say", { text, personal: state.personal, thread: state.thread });
    if (status >= 300) toast(`El bot contestó ${status}.`);
  };
  $("text").onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); $("compose").requestSubmit(); }
  };

  function take(entry) {
    const known = messages.get(entry.activity_id);
    if (entry.kind === "delete") { messages.delete(entry.activity_id); return; }
    messages.set(entry.activity_id, { ...entry, first: known ? known.first : entry.seq });
  }

  head();
  for (;;) {
    try {
      const body = await (await fetch(`api/news?since=${state.next}`)).json();
      body.entries.forEach(take);
      state.next = body.next;
      if (body.entries.length) show();
    } catch (error) {
      toast("El simulador no contesta.");
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
})();
