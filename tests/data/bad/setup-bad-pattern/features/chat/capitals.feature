Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
