"""What can detect, recognise, translate and speak. Sees only `config`.

Here stands what a session and the pipeline need: interfaces (`base`), what serves a session (`plan`, `routes`), the
loaded engines and their queues (`registry`, `batching`, `fair_queue`), voices, errors and remedies. The engines stand
in `engines/`, one folder each; what pulls and keeps their files in `files/`; child processes in `processes/`; what is
done to texts in `text/`.
"""
