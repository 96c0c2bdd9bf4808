/* Sending one file to the server: how much of it is there, and the way to stop. */

/** Send a file. `told` is called with the bytes sent so far; the promise has its path on the server, or fails with a line. */
export function upload(file, told) {
  const request = new XMLHttpRequest();
  const path = new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("files", file, file.name);
    request.upload.addEventListener("progress", (event) => told(Math.min(event.loaded, file.size)));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText)[0]);
      else reject(new Error(request.status === 413 ? request.responseText.trim() : "could not be sent; try again"));
    });
    request.addEventListener("error", () => reject(new Error("could not be sent: the server does not answer, or the file has changed")));
    request.addEventListener("abort", () => reject(new Error("was not sent")));
    request.open("POST", "/gradio_api/upload");
    request.send(form);
  });
  return { path, stop: () => request.abort() };
}

export const megabytes = (bytes) => `${Math.ceil(bytes / 1e6).toLocaleString("en")} MB`;
