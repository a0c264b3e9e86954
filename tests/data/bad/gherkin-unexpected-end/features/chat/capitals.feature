Feature: Capitals
  Scenario: It knows France
    Given the system prompt:
      """
      You are a teacher of geography.
      Answer in one word.
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
