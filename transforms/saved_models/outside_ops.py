"""Ops of TensorFlow that reach outside of it: to files, Python, other processes or the network.

TensorFlow's registry says which ops have a state. Of those, the ones listed here are harmless:
variables, tables, control flow, random numbers, data sets in memory. Any other with a state is
refused, so that what a later version adds is refused too. Of the ops without a state, those that
reach outside all the same are listed one by one.
"""

import re
from typing import Any

_HARMLESS = re.compile(
    # Variables, tensor arrays and stacks.
    r"VarHandleOp|_VarHandlesOp|ReadVariableOp|_ReadVariablesOp|Assign(Add|Sub)?VariableOp"
    r"|VarIsInitializedOp|VariableShape|Variable(V2)?|TemporaryVariable|DestroyResourceOp"
    r"|DisableCopyOnRead|Resource(Sparse)?Apply\w+|ResourceScatter\w+|ResourceGather(Nd)?"
    r"|ResourceStridedSliceAssign|ResourceCountUpTo|TensorArray\w*|Stack\w*|Empty|GuaranteeConst"
    # Tables; how one is filled from a file is looked at apart.
    r"|(Anonymous)?(Mutable)?(Dense)?HashTable(OfTensors)?(V2)?|LookupTable\w+|InitializeTableV2"
    # Control flow and checks.
    r"|If|While|Case|StatefulPartitionedCall|Assert|CheckNumerics(V2)?|XlaCallModule"
    # Random numbers, clocks and counters.
    r"|Random(Uniform|UniformInt|StandardNormal|Shuffle|Gamma|Poisson|PoissonV2|Crop)|Multinomial"
    r"|(Parameterized)?TruncatedNormal|Stateful(Uniform\w*|StandardNormal\w*|TruncatedNormal)"
    r"|StatefulRandomBinomial|NonDeterministicInts|RngSkip|RngReadAndSkip|StatelessRandomGetAlg"
    r"|\w+CandidateSampler|(Anonymous|Dummy|Delete)\w*SeedGenerator|SampleDistortedBoundingBox(V2)?"
    r"|Timestamp|DummyMemoryCache|CudnnRNN\w*"
    # Data sets in memory, and what was made of sparse tensors and trees.
    r"|(Tensor|TensorSlice|SparseTensorSlice|Range|List|Generator|Random)Dataset(V2)?"
    r"|Shuffle(AndRepeat)?Dataset(V2|V3)?|ReduceDataset|DatasetToSingleElement|Iterator(V2)?"
    r"|AnonymousIterator(V2|V3)?|MakeIterator|DeleteIterator|OneShotIterator"
    r"|IteratorGetNext(Sync|AsOptional)?|(Add|Take)ManySparse\w+TensorsMap|AddSparseToTensorsMap"
    r"|BoostedTrees\w+|IsBoostedTrees\w+"
    # What prints is silenced when the model is loaded.
    r"|Print(V2)?"
)

_OUTSIDE = re.compile(
    r"ReadFile|MatchingFiles|PyFuncStateless|Cache\w*Dataset|Snapshot\w+|RegisterDataset(V2)?"
    r"|DatasetFromGraph|Debug\w+|Copy|CopyHost|GenerateVocabRemapping|XlaCustomCall(V2)?"
    r"|MlirPassthroughOp|Reader\w+"
)
"""Ops without a state that read or write files, or run what is not to be seen in the graph."""

RESTORING = re.compile(r"RestoreV2|Restore|RestoreSlice")
"""What a saver reads the model's own weights with."""

_FILES = re.compile(
    r"\w*(File|Read|Write|Save|Restore|Dataset|Snapshot|Checkpoint|Record|Vocab)\w*"
)
_PYTHON = re.compile(r"\w*PyFunc\w*")


def is_outside(node: Any) -> bool:
    """Returns whether an op reaches outside of TensorFlow.

    Args:
      node: A NodeDef. Whether a table is filled from a file of the model's own is not looked at.
    """
    op, attributes = node.op, node.attr
    if op in ("DecodeProtoV2", "EncodeProto"):
        return not attributes["descriptor_source"].s.startswith((b"bytes://", b"local://"))
    if op == "FixedUnigramCandidateSampler" and attributes["vocab_file"].s:
        return True
    if _OUTSIDE.fullmatch(op):
        return True
    return _has_state(op) and not _HARMLESS.fullmatch(op)


def _has_state(op: str) -> bool:
    """Returns whether an op has a state; True if the registry lacks it, so that it can't run."""
    from tensorflow.python.framework.op_def_registry import get

    definition = get(op)
    return definition is not None and bool(definition.is_stateful)


def deeds(ops: set[str]) -> str:
    """Returns what ops do, with their names: `it runs Python code (EagerPyFunc)`."""
    python = {op for op in ops if _PYTHON.fullmatch(op)}
    files = {op for op in ops - python if _FILES.fullmatch(op)}
    kinds = (
        ("runs Python code", python),
        ("reads or writes files", files),
        ("reaches outside of TensorFlow", ops - python - files),
    )
    return ", ".join(f"{deed} ({', '.join(sorted(named))})" for deed, named in kinds if named)
