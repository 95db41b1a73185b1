// What a function written with Spin's SDK for JavaScript does most: answers, and calls a server.

addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const { pathname, search } = new URL(request.url);
  switch (pathname) {
    case "/javascript/hello":
      return new Response("hello from JavaScript\n", { headers: { "content-type": "text/plain" } });
    case "/javascript/echo":
      return new Response(await request.arrayBuffer());
    case "/javascript/fetch": {
      const fetched = await fetch(search.slice(1));
      return new Response(fetched.body, { status: fetched.status });
    }
    default:
      throw new Error(pathname);
  }
}
