"""Run by `benchmarks.redact` where Presidio is installed: texts in, rows a second out."""

import json
import sys
import time

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)
from presidio_anonymizer import AnonymizerEngine

KINDS = [CreditCardRecognizer, EmailRecognizer, IbanRecognizer, IpRecognizer]
KINDS += [PhoneRecognizer, UsSsnRecognizer]


class Blank(NlpEngine):
    """A language engine that only cuts words."""

    nlp = spacy.blank("en")

    def load(self):
        """Nothing is loaded."""

    def is_loaded(self):
        """It is always ready."""
        return True

    def process_text(self, text, language):
        """Returns the words of a text."""
        doc = self.nlp(text)
        places = [token.idx for token in doc]
        return NlpArtifacts([], doc, places, [token.text for token in doc], self, language)

    def process_batch(self, texts, language, **kwargs):
        """Returns the words of texts."""
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word, language):
        """No word is a stopword."""
        return False

    def is_punct(self, word, language):
        """No word is punctuation."""
        return False

    def get_supported_entities(self):
        """It finds nothing itself."""
        return []

    def get_supported_languages(self):
        """English."""
        return ["en"]


def main():
    """Reads texts from stdin, prints rows a second of CPU time."""
    texts = json.load(sys.stdin)
    registry = RecognizerRegistry()
    for kind in KINDS:
        registry.add_recognizer(kind())
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    anonymizer = AnonymizerEngine()
    analyzer.analyze(texts[0], "en")
    start = time.process_time()
    for text in texts:
        anonymizer.anonymize(text, analyzer.analyze(text, "en"))
    print(len(texts) / (time.process_time() - start))


main()
