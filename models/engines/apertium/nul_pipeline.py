"""Programs (`models/processes/piped_programs.py`) that end an answer with a NUL when their question ended with one."""

from dragoman.models.processes.piped_programs import PipedPrograms, ProgramsBroken


class NulPipeline(PipedPrograms):
    """Programs joined by pipes; a NUL ends each question and each answer."""

    def exchange(self, question: bytes, timeout_s: float) -> bytes:
        """Send `question` (without NUL), give the answer (without NUL) within `timeout_s` seconds.

        Raises ProgramsBroken, also when more than one answer comes.
        """
        if b"\0" in question:
            raise ValueError("a NUL inside the question")
        answer = self.converse(question + b"\0", lambda read: read.endswith(b"\0"), timeout_s)
        if answer.index(0) != len(answer) - 1:
            raise ProgramsBroken("more than one answer to a question")
        return answer[:-1]
