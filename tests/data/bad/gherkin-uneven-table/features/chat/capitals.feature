Feature: Capitals
  Scenario: It knows France
    Given the conversation:
      | role      | content                       |
      | user      | What is the capital of Italy? |
      | assistant |
    When I ask "And of France?"
    Then the reply mentions "Paris"
