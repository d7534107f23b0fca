// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import org.nd4j.shade.jackson.annotation.JsonSubTypes;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;

/** A line of a run's record; the field {@code type} tells which. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = RunLine.class, name = "run"),
  @JsonSubTypes.Type(value = ResumeLine.class, name = "resume"),
  @JsonSubTypes.Type(value = NoteLine.class, name = "note"),
  @JsonSubTypes.Type(value = EndLine.class, name = "end"),
})
public sealed interface RecordLine permits RunLine, ResumeLine, CheckpointLine, NoteLine, EndLine {}
