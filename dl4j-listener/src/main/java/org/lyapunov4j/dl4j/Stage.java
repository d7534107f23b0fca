// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

/** The parts of a checkpoint, in the order in which they are entered; where tests let it fail. */
enum Stage {
  TANGENT_BEGIN,
  TANGENT_STEP,
  SCHEDULE,
  PREPARE,
  READ_STEP,
  TANGENT_MARK,
  SNAPSHOT,
  SUBMIT,
  GRAM,
  ANALYSIS,
  TRAJECTORY,
  SINK,
  INTERVENTION
}
