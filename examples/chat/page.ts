/** The page of the chat. What others write comes into it as text alone. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
  form { display: flex; gap: .5rem }
  #name { width: 8rem }
  #text { flex: 1 }
</style>
<h1>Chat</h1>
<form>
  <input id="name" aria-label="Your name" placeholder="Your name" maxlength="20" required>
  <input id="text" aria-label="What to say" placeholder="What to say" maxlength="1000" autocomplete="off">
  <button>Say it</button>
</form>
<ul id="lines" aria-live="polite"></ul>
<script>
  const [form, name, text, lines] = ["form", "#name", "#text", "#lines"].map((what) => document.querySelector(what));
  let socket;

  function show(line) {
    lines.prepend(Object.assign(document.createElement("li"), { textContent: line }));
  }

  function connect() {
    const url = new URL("/chat?name=" + encodeURIComponent(name.value), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.onmessage = ({ data }) => show(data);
    // The server restarts, or has gone to sleep: the next one answers. Not all at once.
    socket.onclose = ({ reason }) => {
      if (reason !== "") show("(" + reason + ")");
      setTimeout(connect, 500 + 1000 * Math.random());
    };
    socket.onopen = say;
  }

  function say() {
    if (text.value === "" || socket.readyState !== WebSocket.OPEN) return;
    socket.send(text.value);
    text.value = "";
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    name.readOnly = true;
    if (socket === undefined) connect();
    else say();
  };
</script>
</html>
`;
