// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

/**
 * A Gram matrix of this kind cannot be made of the model, whatever the probe: its loss has no
 * curvature, it ends in no loss, or it is too large. The message names the part, the reason and a
 * remedy.
 */
public final class UnsupportedModelException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** Part and reason. */
  private final String reason;

  /** What to do instead. */
  private final String remedy;

  /** Whether the matrix is only too large. */
  private final boolean ofSize;

  private UnsupportedModelException(String message, String reason, String remedy, boolean ofSize) {
    super(message);
    this.reason = reason;
    this.remedy = remedy;
    this.ofSize = ofSize;
  }

  static UnsupportedModelException of(String reason, String remedy) {
    return new UnsupportedModelException(reason + "; " + remedy, reason, remedy, false);
  }

  /** One that a smaller probe or more memory would help. */
  static UnsupportedModelException ofSize(String reason, String remedy) {
    return new UnsupportedModelException(reason + "; " + remedy, reason, remedy, true);
  }

  /** The same of a part of the model. */
  UnsupportedModelException in(String part) {
    return new UnsupportedModelException(
        part + ": " + getMessage(), part + ": " + reason, remedy, ofSize);
  }

  /**
   * Why.
   *
   * @return part and reason
   */
  public String reason() {
    return reason;
  }

  /**
   * What to do instead.
   *
   * @return an advice
   */
  public String remedy() {
    return remedy;
  }

  /**
   * Whether the matrix is only too large.
   *
   * @return true if products with it may still be formed
   */
  public boolean isOfSize() {
    return ofSize;
  }
}
