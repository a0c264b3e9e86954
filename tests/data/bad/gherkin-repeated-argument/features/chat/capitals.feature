Feature: Capitals
  Scenario: It knows France
    Given the system prompt:
      """
      Answer in one word.
      """
      """
      You are a teacher.
      """
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
