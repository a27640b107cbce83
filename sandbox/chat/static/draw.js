// Draws a card: by Microsoft's renderer where it was brought, else by what stands here, which knows what Lucy's cards
// are made of. `press(action, data)` is called with the inputs merged into the action's data, as Teams does it.
"use strict";
(() => {
  const official = () => typeof AdaptiveCards !== "undefined";
  const HOST = {
    fontFamily: "Segoe UI, system-ui, sans-serif",
    supportsInteractivity: true,
    actions: { maxActions: 6, actionsOrientation: "horizontal", actionAlignment: "left", showCard: { actionMode: "inline" } },
    containerStyles: {
      emphasis: { backgroundColor: "#f0f0f0" }, warning: { backgroundColor: "#fff4ce" },
      attention: { backgroundColor: "#fde7e9" }, good: { backgroundColor: "#e7f5e7" },
    },
  };

  function byMicrosoft(card, press) {
    const drawn = new AdaptiveCards.AdaptiveCard();
    drawn.hostConfig = new AdaptiveCards.HostConfig(HOST);
    drawn.onExecuteAction = (action) => {
      const kind = action.getJsonTypeName();
      if (kind === "Action.OpenUrl") window.open(action.url, "_blank", "noopener");
      else press({ verb: action.verb, type: kind }, action.data || {});
    };
    drawn.parse(card);
    return drawn.render();
  }

  const make = (tag, names = "", text = null) => {
    const element = document.createElement(tag);
    if (names) element.className = names;
    if (text !== null) element.textContent = text;
    return element;
  };
  const looks = (item) => [
    item.isSubtle ? "subtle" : "", item.size === "small" ? "small" : "", item.fontType === "monospace" ? "mono" : "",
  ].join(" ").trim();

  function block(item, inputs) {
    switch (item.type) {
      case "TextBlock": {
        const element = make(item.style === "heading" ? "h3" : "p", looks(item), item.text.replace(/<\/?at>/g, ""));
        if (item.weight === "bolder") element.style.fontWeight = "600";
        element.style.margin = "2px 0";
        return element;
      }
      case "RichTextBlock": {
        const element = make("p");
        element.style.margin = "2px 0";
        for (const one of item.inlines || []) {
          const run = make("span", typeof one === "string" ? "" : looks(one), typeof one === "string" ? one : one.text);
          if (one.weight === "bolder") run.style.fontWeight = "600";
          element.append(run);
        }
        return element;
      }
      case "Container": return blocks(item.items, inputs, make("div", `box ${item.style || ""}`));
      case "ColumnSet": {
        const element = make("div", "column-set");
        for (const one of item.columns) {
          const column = blocks(one.items, inputs, make("div"));
          column.style.flex = one.width === "stretch" ? "1" : "none";
          if (/px$/.test(one.width || "")) column.style.width = one.width;
          element.append(column);
        }
        return element;
      }
      case "FactSet": {
        const element = make("dl");
        for (const one of item.facts) element.append(make("dt", "", one.title), make("dd", "", one.value));
        return element;
      }
      case "Table": {
        const element = make("table");
        item.rows.forEach((row, at) => {
          const line = make("tr");
          for (const cell of row.cells) line.append(blocks(cell.items, inputs, make(at ? "td" : "th")));
          element.append(line);
        });
        return element;
      }
      case "Image": {
        const element = make("img");
        element.src = item.url;
        element.alt = item.altText || "";
        return element;
      }
      case "Input.Text": case "Input.Number": case "Input.Date": {
        const field = make(item.isMultiline ? "textarea" : "input");
        field.value = item.value || "";
        return labelled(item, field, () => field.value, inputs);
      }
      case "Input.ChoiceSet": {
        const field = make("select");
        for (const one of item.choices) field.append(new Option(one.title, one.value, false, one.value === item.value));
        return labelled(item, field, () => field.value, inputs);
      }
      case "Input.Toggle": {
        const field = make("input");
        field.type = "checkbox";
        field.checked = item.value === "true";
        return labelled(item, field, () => String(field.checked), inputs);
      }
      default: return make("div");
    }
  }

  function labelled(item, field, read, inputs) {
    inputs.push({ item, field, read });
    const label = make("label", "", item.label || item.title || "");
    label.append(field);
    return label;
  }

  function blocks(items, inputs, into) {
    for (const item of items || []) into.append(block(item, inputs));
    return into;
  }

  function actionsOf(card, inputs, press, into) {
    const bar = make("div", "actions");
    for (const action of card.actions || []) {
      if (action.type === "Action.OpenUrl") {
        const link = make("a", "", action.title);
        Object.assign(link, { href: action.url, target: "_blank", rel: "noopener" });
        bar.append(link);
        continue;
      }
      const button = make("button", action.style || "", action.title);
      button.type = "button";
      bar.append(button);
      if (action.type === "Action.ShowCard") {
        const inner = make("div", "box emphasis");
        inner.hidden = true;
        whole(action.card, press, inner, inputs);
        into.append(inner);
        button.onclick = () => { inner.hidden = !inner.hidden; };
      } else button.onclick = () => {
        const data = { ...action.data };
        for (const { item, field, read } of inputs) {
          if (item.isRequired && !read()) { field.focus(); return; }
          if (read()) data[item.id] = read();
        }
        press(action, data);
      };
    }
    if (bar.childElementCount) into.append(bar);
  }

  function whole(card, press, into, outer = []) {
    const inputs = [...outer];
    blocks(card.body, inputs, into);
    actionsOf(card, inputs, press, into);
    return into;
  }

  window.drawCard = (card, press) => {
    const into = make("div", "card");
    if (!official()) return whole(card, press, into);
    into.append(byMicrosoft(card, press));
    return into;
  };
})();
