Feature: Capitals
  Scenario: It knows France
    Given the system prompt "Answer in one word."
    When I ask "What is the capital of France?"
