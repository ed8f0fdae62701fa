/**
 * What the page asks the server for: Palabra's `set_task` (docs/palabra.md).
 */

export const OUTPUT_HZ = 24000;

/**
 * `wish`: source, targets, voice (the target that is spoken, or ""), latency (or "" for the operator's).
 * Targets without a voice cost no synthesis.
 */
export function taskOf(wish, rate) {
  const speaks = wish.targets.includes(wish.voice);
  return {
    input_stream: {
      content_type: "audio",
      source: { type: "ws", format: "pcm_s16le", sample_rate: rate, channels: 1 },
    },
    output_stream: speaks ? { content_type: "audio", target: { type: "ws", format: "pcm_s16le" } } : null,
    pipeline: {
      transcription: { source_language: wish.source, ...(wish.latency ? { latency: wish.latency } : {}) },
      translations: wish.targets.map((target) => ({
        target_language: target,
        speech_generation: target === wish.voice ? {} : null,
      })),
      allowed_message_types: ["partial_transcription", "validated_transcription", "translated_transcription"],
    },
  };
}

export function message(type, data = {}) {
  return JSON.stringify({ message_type: type, data });
}
