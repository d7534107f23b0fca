// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;

/**
 * The listener was closed.
 *
 * @param time when
 * @param checkpoints delivered since the start or the latest resumption
 * @param skipped due but not computed
 * @param failed failures of any kind
 * @param cancelled begun but cut short
 */
public record EndLine(Instant time, long checkpoints, long skipped, long failed, long cancelled)
    implements RecordLine {}
