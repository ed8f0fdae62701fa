/**
 * The session of the page as programs for each vendor's SDK, reading a file. The user's key never stands in them.
 */
import { ANY } from "./languages.mjs";

/** No blanks: one of the SDKs puts it into an address as it is. */
const KEY = "your-key";

/** By name: what to install, and the program. `server` is the base address, `wish` as for `taskOf`. */
export function snippets(server, wish) {
  const base = server.replace(/\/+$/, "");
  return [
    { name: "Gradium", code: gradium(base, wish) },
    { name: "Soniox", code: soniox(base, wish) },
    { name: "Sarvam", code: sarvam(base, wish) },
    { name: "Palabra", code: palabra(base, wish) },
  ];
}

const quoted = (text) => JSON.stringify(text);
const socketsOf = (base) => base.replace(/^http/, "ws");
const first = (wish) => wish.voice || wish.targets[0] || "en";

function gradium(base, wish) {
  const config = [
    `"target_language": ${quoted(first(wish))}`,
    ...(wish.source === ANY ? [] : [`"source_language": ${quoted(wish.source)}`]),
    ...(wish.latency ? [`"latency": ${quoted(wish.latency)}`] : []),
  ].join(", ");
  return `# pip install gradium
import asyncio
from pathlib import Path

from gradium.client import GradiumClient

client = GradiumClient(base_url=${quoted(base)}, api_key=${quoted(KEY)})
setup = {"input_format": "wav", "output_format": "wav", "json_config": {${config}}}


async def main() -> None:
    result = await client.s2s(setup=setup, audio=Path("talk.wav").read_bytes())
    print(result.text)
    Path("translated.wav").write_bytes(result.raw_data)


asyncio.run(main())
`;
}

function soniox(base, wish) {
  const hints = wish.source === ANY ? "" : `\n    language_hints=[${quoted(wish.source)}],`;
  return `# pip install soniox
from soniox import SonioxClient
from soniox.types import RealtimeSTTConfig
from soniox.utils import start_audio_thread, throttle_audio

client = SonioxClient(
    api_key=${quoted(KEY)},
    websocket_base_url=${quoted(`${socketsOf(base)}/transcribe-websocket`)},
    api_base_url=${quoted(`${base}/v1`)},
)
config = RealtimeSTTConfig(
    model="stt-rt-v6",
    audio_format="auto",
    enable_endpoint_detection=True,
    enable_speaker_diarization=True,${hints}
    translation={"type": "one_way", "target_language": ${quoted(first(wish))}},
)
with client.realtime.stt.connect(config=config) as session:
    start_audio_thread(session, throttle_audio("talk.wav", delay_seconds=0.1))
    for event in session.receive_events():
        print("".join(token.text for token in event.tokens if token.is_final), end="", flush=True)
`;
}

function sarvam(base, wish) {
  const note = first(wish) === "en" ? "" : "\n# This protocol translates into English only.";
  return `# pip install sarvamai${note}
import base64
from pathlib import Path

from sarvamai import SarvamAI, SarvamAIEnvironment

here = SarvamAIEnvironment(
    base=${quoted(base)}, creative=${quoted(`${base}/dubbing`)}, production=${quoted(socketsOf(base))}
)
client = SarvamAI(api_subscription_key=${quoted(KEY)}, environment=here)

with client.speech_to_text_translate_streaming.connect(flush_signal="true") as socket:
    socket.translate(audio=base64.b64encode(Path("talk.wav").read_bytes()).decode())
    socket.flush()
    for message in socket:
        if message.type == "data":
            print(message.data.transcript)
            break  # or go on for as long as you send
`;
}

function palabra(base, wish) {
  const sockets = socketsOf(base);
  const targets = wish.targets.map(quoted).join(", ");
  return `# pip install palabra-ai
import asyncio
import wave

import palabra_ai

palabra_ai.REGIONS["local"] = palabra_ai.Region(
    translation=${quoted(`${sockets}/streaming-api/{random_hash}/v1/speech-to-speech/stream`)},
    stt=${quoted(`${sockets}/asr/v1/speech-to-text/stream`)},
    tts=${quoted(`${sockets}/tts-api/v1/text-to-speech/stream`)},
)
client = palabra_ai.Palabra(api_key=${quoted(KEY)}, region="local")


async def main() -> None:
    with wave.open("talk.wav") as file:  # 16 bits, 24 kHz, mono
        pcm = file.readframes(file.getnframes())
    async with client.translation(source=${quoted(wish.source)}, targets=[${targets}]) as session:
        await session.send_pcm(pcm, end=True)
        async for event in session:
            print(event)


asyncio.run(main())
`;
}
