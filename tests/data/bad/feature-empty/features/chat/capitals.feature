Feature: Capitals
  What our readers ask most often.
